/* Where alleles lie in the transcripts within 5,000 bases of them, as Sequence Ontology terms.
 *
 * The rules are those of Ensembl VEP's VariationEffect: which bases are splice site, splice region, intron.
 */
#include "exons.h"
#include "terms.h"

#define FLANK_BASES 5000
#define KINDS 4

enum kind { REPLACEMENT, INSERTION, DELETION, DUPLICATION };

/* The transcripts of some contigs, sorted by start; places are 1-based and inclusive, on the contigs' line. */
struct gene_models {
    struct exons exons;
    const int64_t *start;
    const int64_t *end;
    const int64_t *reach; /* how far any transcript up to this one reaches */
    const int64_t *cds_start;
    const int64_t *cds_end;
    const int64_t *last_codon; /* where an incomplete one starts, 0 where it is complete or not known */
    const uint8_t *coding;
    const uint8_t *nmd; /* decayed for its nonsense codon */
};

/* How many of the sorted numbers are less than `place` (or equal to it). */
static int64_t count_less(const int64_t *sorted, int64_t count, int64_t place, int or_equal) {
    int64_t low = 0, high = count;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (sorted[middle] < place || (or_equal && sorted[middle] == place))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* An allele beside one transcript; `left` and `right` are its part within the transcript. */
struct near {
    const struct gene_models *model;
    int64_t transcript, left, right;
    int insertion, forward;
    int64_t first, last; /* the exons at or before left and right */
    term_set terms;
};

/* Whether it touches a base of low..high; an insertion does when both the bases beside it are of them. */
static int touches(const struct near *at, int64_t low, int64_t high) {
    if (at->insertion)
        return at->left >= low && at->right <= high;
    return at->left <= high && at->right >= low;
}

/* Whether it touches a base of low..high that is in the intron, which may be shorter than its regions are. */
static int touches_intron(const struct near *at, int64_t low, int64_t high, int64_t begin, int64_t finish) {
    return touches(at, low > begin ? low : begin, high < finish ? high : finish);
}

static void add(struct near *at, term_set term, int where) {
    if (where)
        at->terms |= term;
}

static void add_flanks(struct near *at, int64_t start, int64_t end) {
    int64_t begin = at->model->start[at->transcript], finish = at->model->end[at->transcript];
    /* between the two bases of an insertion lies nothing: VEP sets its start after its end */
    int64_t first = at->insertion ? end : start, last = at->insertion ? start : end;
    int before = last < begin && begin - last <= FLANK_BASES;
    int after = first > finish && first - finish <= FLANK_BASES;
    add(at, UPSTREAM_GENE_BIT, at->forward ? before : after);
    add(at, DOWNSTREAM_GENE_BIT, at->forward ? after : before);
}

/* The terms by the intron from `begin` to `finish`. */
static void add_one_intron(struct near *at, int64_t begin, int64_t finish) {
    int first_two = touches_intron(at, begin, begin + 1, begin, finish);
    int last_two = touches_intron(at, finish - 1, finish, begin, finish);
    add(at, SPLICE_DONOR_BIT, at->forward ? first_two : last_two);
    add(at, SPLICE_ACCEPTOR_BIT, at->forward ? last_two : first_two);
    int at_edge_of_middle = at->insertion && (at->right == begin + 2 || at->left == finish - 2);
    add(at, INTRON_BIT, touches(at, begin + 2, finish - 2) || at_edge_of_middle);
    int at_edge = at->insertion && (at->right == begin || at->left == finish);
    int region = touches(at, begin - 3, begin - 1) || touches_intron(at, begin + 2, begin + 7, begin, finish) ||
                 touches_intron(at, finish - 7, finish - 2, begin, finish) ||
                 touches(at, finish + 1, finish + 3);
    add(at, SPLICE_REGION_BIT, region || at_edge || at_edge_of_middle);
    int64_t fifth = at->forward ? begin + 4 : finish - 4;
    add(at, DONOR_5TH_BASE_BIT, touches_intron(at, fifth, fifth, begin, finish));
    int64_t donor = at->forward ? begin + 2 : finish - 5;
    add(at, DONOR_REGION_BIT, touches_intron(at, donor, donor + 3, begin, finish));
    /* the 3rd to 17th base before an exon; of an insertion either side counts */
    int64_t low = at->forward ? finish - 16 : begin + 2, high = at->forward ? finish - 2 : begin + 16;
    low = low > begin ? low : begin;
    high = high < finish ? high : finish;
    add(at, POLYPYRIMIDINE_TRACT_BIT, low <= high && at->left <= high && at->right >= low);
}

static void add_introns(struct near *at) {
    const struct gene_models *model = at->model;
    int64_t first_exon = model->exons.first[at->transcript];
    int64_t last_exon = model->exons.first[at->transcript + 1] - 1;
    int64_t before_last = at->last - 1 > at->first ? at->last - 1 : at->first;
    /* the exons before introns that it may touch: the splice region goes on into the exon behind the intron */
    const int64_t exons[] = {at->first - 1, at->first, before_last, at->last};
    add(at,
        INTRON_BIT | SPLICE_DONOR_BIT | SPLICE_ACCEPTOR_BIT | DONOR_5TH_BASE_BIT | POLYPYRIMIDINE_TRACT_BIT,
        at->last - at->first >= 2); /* an intron lies wholly within */
    for (int number = 0; number < 4; number++) {
        if (exons[number] >= first_exon && exons[number] < last_exon)
            add_one_intron(at, model->exons.end[exons[number]] + 1, model->exons.start[exons[number] + 1] - 1);
    }
    if (at->terms & DONOR_5TH_BASE_BIT)
        at->terms &= ~(term_set)DONOR_REGION_BIT;
    if (at->terms & SPLICE_SITE_TERMS)
        at->terms &= ~(term_set)SPLICE_REGION_BIT;
}

static void add_exon(struct near *at, int in_exon_left, int in_exon_right) {
    const struct gene_models *model = at->model;
    if (!model->coding[at->transcript]) {
        at->terms |= NON_CODING_EXON_BIT;
        return;
    }
    int64_t begin = model->cds_start[at->transcript], finish = model->cds_end[at->transcript];
    int more = at->last > at->first;
    int before = at->left < begin, after = at->right > finish, within;
    if (at->insertion) { /* before the first codon it is still before it */
        within = !before && !after;
    } else {
        before = before && (in_exon_left || (more && model->exons.start[at->first + 1] < begin));
        after = after && (in_exon_right || (more && model->exons.end[at->last - 1] > finish));
        within = at->left <= finish && at->right >= begin;
    }
    add(at, FIVE_PRIME_UTR_BIT, at->forward ? before : after);
    add(at, THREE_PRIME_UTR_BIT, at->forward ? after : before);
    add(at, CODING_SEQUENCE_BIT, within);
    int64_t codon = model->last_codon[at->transcript];
    add(at, INCOMPLETE_CODON_BIT, within && codon > 0 && (at->forward ? at->left >= codon : at->right <= codon));
}

struct location {
    term_set terms; /* none: out of reach */
    int32_t first_exon, last_exon; /* numbers in the transcript's direction, 0 where no exon is touched */
};

static struct location locate_one(const struct gene_models *model, int64_t transcript, int64_t start,
                                  int64_t end, int kind) {
    int64_t begin = model->start[transcript], finish = model->end[transcript];
    struct near at = {.model = model,
                      .transcript = transcript,
                      .insertion = kind == INSERTION,
                      .forward = model->exons.forward[transcript]};
    struct location found = {0, 0, 0};
    int inside = at.insertion ? start >= begin && end <= finish : start <= finish && end >= begin;
    if (!inside) {
        add_flanks(&at, start, end);
        found.terms = at.terms;
        return found;
    }
    at.left = start > begin ? start : begin;
    at.right = end < finish ? end : finish;
    at.first = exon_before(&model->exons, transcript, at.left);
    at.last = exon_before(&model->exons, transcript, at.right);
    int in_exon_left = at.left <= model->exons.end[at.first];
    int in_exon_right = at.right <= model->exons.end[at.last];
    int exonic = at.insertion ? in_exon_left && in_exon_right && at.first == at.last
                              : in_exon_left || at.last > at.first;
    add_introns(&at);
    if (exonic) {
        add_exon(&at, in_exon_left, in_exon_right);
        int64_t first_row = model->exons.first[transcript];
        int64_t low = (in_exon_left ? at.first : at.first + 1) - first_row, high = at.last - first_row;
        int64_t count = model->exons.first[transcript + 1] - first_row;
        found.first_exon = (int32_t)(at.forward ? low + 1 : count - high);
        found.last_exon = (int32_t)(at.forward ? high + 1 : count - low);
    }
    add(&at, NON_CODING_TRANSCRIPT_BIT, !model->coding[transcript] && !exonic);
    add(&at, NMD_TRANSCRIPT_BIT, model->nmd[transcript]);
    int covers = start < begin && end > finish;
    if (covers && kind == DELETION)
        at.terms = TRANSCRIPT_ABLATION_BIT;
    if (covers && kind == DUPLICATION)
        at.terms = TRANSCRIPT_AMPLIFICATION_BIT;
    found.terms = at.terms;
    return found;
}

/* Alleles, sorted by start on the line of contigs. */
struct alleles {
    int64_t count;
    const int64_t *start; /* 1-based; an insertion stands between start and end */
    const int64_t *end;
    const uint8_t *kind;
    const uint8_t *alone; /* to be worked out by itself, whatever lies alike */
};

/* Spans by transcript, for each transcript within reach of a span; room for `size` of them. */
struct pairs {
    int64_t size;
    int64_t count; /* may be more than there is room for: then those beyond are not written */
    int32_t *span;
    int32_t *transcript;
    term_set *terms;
    int32_t *first_exon;
    int32_t *last_exon;
};

static void add_pair(struct pairs *pairs, int64_t span, int64_t transcript, struct location found) {
    int64_t at = pairs->count++;
    if (at >= pairs->size)
        return;
    pairs->span[at] = (int32_t)span;
    pairs->transcript[at] = (int32_t)transcript;
    pairs->terms[at] = found.terms;
    pairs->first_exon[at] = found.first_exon;
    pairs->last_exon[at] = found.last_exon;
}

/* Adds the pairs of one span, in order of transcript; whether any of them is described in words of its own. */
static int add_pairs(const struct gene_models *model, int64_t span, int64_t start, int64_t end, int kind,
                     struct pairs *pairs) {
    int64_t stop = count_less(model->start, model->exons.transcript_count, end + FLANK_BASES, 1);
    int64_t first = count_less(model->reach, model->exons.transcript_count, start - FLANK_BASES, 0);
    int described = 0;
    for (int64_t transcript = first; transcript < stop; transcript++) {
        if (model->end[transcript] < start - FLANK_BASES)
            continue;
        struct location found = locate_one(model, transcript, start, end, kind);
        if (!found.terms)
            continue;
        described |= (found.terms & DESCRIBED_TERMS) != 0;
        add_pair(pairs, span, transcript, found);
    }
    return described;
}

/* Group alleles into spans, and find the transcripts near each span.
 *
 * Alleles that lie alike, between the same `breakpoints` (sorted) of the gene model, are one span, unless
 * they are described there or to be worked out alone. `span_of` gets the span of each allele, `example` an
 * allele of each span; both have room for as many as there are alleles. Spans are numbered in order of their
 * first alleles. Returns their number, or -1 for a kind that there is not.
 */
int64_t locate_alleles(const struct gene_models *model, const int64_t *breakpoints, int64_t breakpoint_count,
                       const struct alleles *alleles, int32_t *span_of, int32_t *example,
                       struct pairs *pairs) {
    struct {
        int64_t span, first, last;
    } latest[KINDS] = {{-1, 0, 0}, {-1, 0, 0}, {-1, 0, 0}, {-1, 0, 0}};
    int64_t spans = 0;
    pairs->count = 0;
    for (int64_t number = 0; number < alleles->count; number++) {
        int64_t start = alleles->start[number], end = alleles->end[number];
        int kind = alleles->kind[number];
        if (kind >= KINDS)
            return -1;
        int64_t first = count_less(breakpoints, breakpoint_count, start, 1);
        int64_t last = end == start ? first : count_less(breakpoints, breakpoint_count, end, 1);
        int alone = alleles->alone[number];
        if (!alone && latest[kind].span >= 0 && latest[kind].first == first && latest[kind].last == last) {
            span_of[number] = (int32_t)latest[kind].span;
            continue;
        }
        span_of[number] = (int32_t)spans;
        example[spans] = (int32_t)number;
        int described = add_pairs(model, spans, start, end, kind, pairs);
        if (!alone) {
            latest[kind].span = described ? -1 : spans;
            latest[kind].first = first;
            latest[kind].last = last;
        }
        spans++;
    }
    return spans;
}
