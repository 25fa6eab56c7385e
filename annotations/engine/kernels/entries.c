/* The entries of CSQ: what gene model, csq and descriptions say of each allele on each transcript, as text. */
#include "terms.h"
#include "text.h"

#define LENGTH_TERMS (INFRAME_INSERTION_BIT | INFRAME_DELETION_BIT | PROTEIN_ALTERING_BIT)

#define TERM_TEXT(name, text, impact) {text, sizeof(text) - 1},
static const struct piece TERM_TEXTS[] = {TERM_LIST(TERM_TEXT)};
#define TERM_IMPACT(name, text, impact) impact,
static const uint8_t TERM_IMPACTS[] = {TERM_LIST(TERM_IMPACT)};
static const struct piece IMPACT_TEXTS[] = {{"HIGH", 4}, {"MODERATE", 8}, {"LOW", 3}, {"MODIFIER", 8}};

/* To compare the terms with those of terms.py: their number, and by rank the name and the impact. */
int64_t term_count(void) { return TERM_COUNT; }
const char *term_text(int64_t rank) { return rank < 0 || rank >= TERM_COUNT ? "" : TERM_TEXTS[rank].bytes; }
const char *term_impact(int64_t rank) {
    return rank < 0 || rank >= TERM_COUNT ? "" : IMPACT_TEXTS[TERM_IMPACTS[rank]].bytes;
}

/* And the sets of them: what only codons give, splice sites, and where alleles are described. */
int64_t term_set_of(int64_t number) {
    static const int64_t sets[] = {CODING_TERMS, SPLICE_SITE_TERMS, DESCRIBED_TERMS};
    return number < 0 || number > 2 ? -1 : sets[number];
}

static int rank_of_gravest(term_set terms) { return __builtin_ctz(terms); }

static void put_terms(struct text *out, term_set terms) {
    const char *divider = "";
    for (; terms; terms &= terms - 1) {
        put(out, divider, *divider != 0);
        put_piece(out, TERM_TEXTS[rank_of_gravest(terms)]);
        divider = "&";
    }
}

static struct piece impact_of(term_set terms) {
    uint8_t gravest = MODIFIER;
    for (; terms; terms &= terms - 1) {
        uint8_t impact = TERM_IMPACTS[rank_of_gravest(terms)];
        gravest = impact < gravest ? impact : gravest;
    }
    return IMPACT_TEXTS[gravest];
}

/* --- terms that follow from the description of the protein */

static int is_digit(char byte) { return byte >= '0' && byte <= '9'; }

static int ends_with(struct piece text, const char *end, int64_t length) {
    return text.length >= length && !memcmp(text.bytes + text.length - length, end, (size_t)length);
}

/* Where a word stands in the text, -1 where it does not. */
static int64_t find(struct piece text, const char *word, int64_t length) {
    for (int64_t at = 0; at + length <= text.length; at++)
        if (text.bytes[at] == *word && !memcmp(text.bytes + at, word, (size_t)length))
            return at;
    return -1;
}

#define has(text, word) (find(text, word, sizeof(word) - 1) >= 0)

static int has_insertion(struct piece text) {
    for (int64_t at = 1; at + 3 <= text.length; at++)
        if (is_digit(text.bytes[at - 1]) && !memcmp(text.bytes + at, "ins", 3))
            return 1;
    return 0;
}

static int keeps_stop(struct piece text) { /* Ter97= */
    int64_t at = find(text, "Ter", 3);
    if (at < 0 || at + 3 >= text.length || !is_digit(text.bytes[at + 3]))
        return 0;
    for (at += 3; at < text.length && is_digit(text.bytes[at]); at++) {
    }
    return at < text.length && text.bytes[at] == '=';
}

static int sides_as_long(struct piece amino_acids) {
    if (amino_acids.length < 0)
        return 0;
    int64_t first = 0, last = 0;
    while (first < amino_acids.length && amino_acids.bytes[first] != '/')
        first++;
    while (last < amino_acids.length && amino_acids.bytes[amino_acids.length - 1 - last] != '/')
        last++;
    return first == last;
}

/* The coding terms where the protein is described (`change`, the part in parentheses), of which csq may add
 * some. */
static term_set terms_read(struct piece change, struct piece amino_acids, term_set csq) {
    if (has(change, "Met1="))
        return START_RETAINED_BIT | SYNONYMOUS_BIT;
    if (keeps_stop(change))
        return STOP_RETAINED_BIT;
    if (has(change, "="))
        return SYNONYMOUS_BIT;
    if (has(change, "Met1?"))
        return START_LOST_BIT | (csq & (LENGTH_TERMS | FRAMESHIFT_BIT));
    if (has(change, "fs"))
        return FRAMESHIFT_BIT | (csq & STOP_LOST_BIT);
    if (has(change, "ext"))
        return STOP_LOST_BIT | (csq & (LENGTH_TERMS | FRAMESHIFT_BIT));
    if (ends_with(change, "Ter", 3))
        return STOP_GAINED_BIT | (csq & (LENGTH_TERMS | FRAMESHIFT_BIT));
    if (ends_with(change, "del", 3) && change.length > 3 && is_digit(change.bytes[change.length - 4]))
        return INFRAME_DELETION_BIT;
    if (has(change, "dup") || has_insertion(change))
        return INFRAME_INSERTION_BIT | (csq & STOP_RETAINED_BIT);
    if (sides_as_long(amino_acids))
        return MISSENSE_BIT;
    return csq & LENGTH_TERMS ? csq & LENGTH_TERMS : PROTEIN_ALTERING_BIT;
}

/* The coding terms where there is csq's word alone. It calls what reaches over an exon's edge synonymous, for
 * the codons that it could not read. */
static term_set terms_unread(term_set located, term_set csq) {
    term_set others = csq & (CODING_TERMS & ~(term_set)SYNONYMOUS_BIT);
    if (others || !(located & CODING_SEQUENCE_BIT))
        return others;
    return csq & CODING_TERMS;
}

/* The terms by gene model, csq (0 for nothing) and description together. */
static term_set agreed(term_set located, term_set csq, struct piece change, struct piece amino_acids,
                       int is_joint) {
    int is_read = change.length >= 0 && !is_joint;
    if (!csq && change.length < 0)
        return located;
    term_set coding = is_read ? terms_read(change, amino_acids, csq) : terms_unread(located, csq);
    if (coding)
        located &= ~(term_set)CODING_SEQUENCE_BIT;
    term_set together = located | (csq & ~(term_set)CODING_TERMS) | coding;
    if (together & SPLICE_SITE_TERMS)
        together &= ~(term_set)SPLICE_REGION_BIT;
    return together;
}

/* --- entries */

/* The pairs of span and transcript, sorted by span and then transcript. */
struct found {
    int64_t count;
    const int32_t *span;
    const int32_t *transcript;
    const term_set *terms;
    const int32_t *first_exon;
    const int32_t *last_exon;
    const struct texts *hgvsc; /* one each */
    const struct texts *change; /* of the protein, as in HGVS's parentheses */
    const struct texts *amino_acids;
};

/* What csq said, sorted by span. */
struct said {
    int64_t count;
    const int32_t *span;
    const int32_t *transcript;
    const term_set *terms;
    const uint8_t *is_joint; /* of changes that lie together on a haplotype: then these tell of the protein */
    const int32_t *rank; /* order of what is said of one span and transcript */
    const struct texts *change;
    const struct texts *amino_acids;
};

/* The texts of each transcript. */
struct names {
    int64_t count;
    const struct texts *before_exon;
    const struct texts *after_amino_acids;
    const struct texts *symbol; /* null where there is none */
    const struct texts *gene;
    const struct texts *transcript;
    const struct texts *protein;
    const int64_t *exon_count;
    const uint8_t *not_canonical;
};

struct entry {
    int64_t pair, said; /* said: -1 where csq said nothing */
    term_set terms;
};
_Static_assert(sizeof(struct entry) == 24, "entries.py makes room for them");

static int is_before(const struct entry *one, const struct entry *other, const struct found *found,
                     const struct said *said, const struct names *names) {
    term_set gravest = one->terms & (0 - one->terms), other_gravest = other->terms & (0 - other->terms);
    if (gravest != other_gravest)
        return gravest < other_gravest;
    int32_t transcript = found->transcript[one->pair], other_transcript = found->transcript[other->pair];
    if (names->not_canonical[transcript] != names->not_canonical[other_transcript])
        return names->not_canonical[transcript] < names->not_canonical[other_transcript];
    if (transcript != other_transcript)
        return transcript < other_transcript;
    if (one->terms != other->terms)
        return one->terms < other->terms;
    int32_t rank = one->said < 0 ? -1 : said->rank[one->said];
    int32_t other_rank = other->said < 0 ? -1 : said->rank[other->said];
    return rank < other_rank;
}

/* Sorts in place; entries of a span are few, and nearly in order. */
static void sort_entries(struct entry *entries, int64_t count, const struct found *found,
                         const struct said *said, const struct names *names) {
    for (int64_t at = 1; at < count; at++) {
        struct entry moved = entries[at];
        int64_t to = at;
        for (; to > 0 && is_before(&moved, &entries[to - 1], found, said, names); to--)
            entries[to] = entries[to - 1];
        entries[to] = moved;
    }
}

static struct piece hgvsp_of(const struct entry *entry, const struct found *found, const struct said *said) {
    if (entry->said >= 0 && said->is_joint[entry->said])
        return text_at(said->change, entry->said);
    return text_at(found->change, entry->pair);
}

static struct piece amino_acids_of(const struct entry *entry, const struct found *found,
                                   const struct said *said) {
    if (entry->said >= 0 && said->is_joint[entry->said])
        return text_at(said->amino_acids, entry->said);
    return text_at(found->amino_acids, entry->pair);
}

/* `ENSP….4:p.(Val717Phe)`, nothing without a protein; INFO may have no equals sign: VEP writes %3D, too. */
static void put_hgvsp(struct text *out, struct piece protein, struct piece change, int in_info) {
    if (change.length < 0 || protein.length <= 0)
        return;
    put_piece(out, protein);
    put_literal(out, ":p.(");
    int64_t equals = in_info ? find(change, "=", 1) : -1;
    if (equals >= 0) {
        put(out, change.bytes, equals);
        put_literal(out, "%3D");
        put(out, change.bytes + equals + 1, change.length - equals - 1);
    } else {
        put_piece(out, change);
    }
    put_char(out, ')');
}

/* An entry without the allele's name: `|missense_variant|MODERATE|APP|…`. */
static void put_tail(struct text *out, const struct entry *entry, const struct found *found,
                     const struct said *said, const struct names *names) {
    int64_t transcript = found->transcript[entry->pair];
    int32_t first = found->first_exon[entry->pair], last = found->last_exon[entry->pair];
    put_char(out, '|');
    put_terms(out, entry->terms);
    put_char(out, '|');
    put_piece(out, impact_of(entry->terms));
    put_piece(out, text_at(names->before_exon, transcript));
    if (first > 0) {
        put_number(out, first);
        if (last != first) {
            put_char(out, '-');
            put_number(out, last);
        }
        put_char(out, '/');
        put_number(out, names->exon_count[transcript]);
    }
    put_char(out, '|');
    put_piece(out, text_at(found->hgvsc, entry->pair));
    put_char(out, '|');
    put_hgvsp(out, text_at(names->protein, transcript), hgvsp_of(entry, found, said), 1);
    put_char(out, '|');
    put_piece(out, amino_acids_of(entry, found, said));
    put_piece(out, text_at(names->after_amino_acids, transcript));
}

static int same(struct piece one, struct piece other) {
    return one.length == other.length && one.length >= 0 &&
           (one.bytes == other.bytes || !memcmp(one.bytes, other.bytes, (size_t)one.length));
}

/* Each of the texts of the entries' transcripts once, divided by `|`. */
static void put_each_once(struct text *out, const struct texts *texts, const struct entry *entries,
                          int64_t count, const struct found *found) {
    int any = 0;
    for (int64_t at = 0; at < count; at++) {
        struct piece own = text_at(texts, found->transcript[entries[at].pair]);
        int is_new = own.length >= 0;
        for (int64_t before = 0; is_new && before < at; before++)
            is_new = !same(own, text_at(texts, found->transcript[entries[before].pair]));
        if (!is_new)
            continue;
        put(out, "|", any);
        put_piece(out, own);
        any = 1;
    }
}

/* A row of the spans' columns, divided by tabs: consequence, impact, symbols, genes (each divided by `|`),
 * transcript, hgvsc, hgvsp, amino acids, terms. What is null is empty. */
static void put_row(struct text *out, const struct entry *entries, int64_t count, const struct found *found,
                    const struct said *said, const struct names *names) {
    term_set gravest = count ? entries[0].terms : (term_set)INTERGENIC_BIT, all = count ? 0 : gravest;
    for (int64_t at = 0; at < count; at++)
        all |= entries[at].terms;
    put_piece(out, TERM_TEXTS[rank_of_gravest(gravest)]);
    put_char(out, '\t');
    put_piece(out, impact_of(gravest));
    put_char(out, '\t');
    put_each_once(out, names->symbol, entries, count, found);
    put_char(out, '\t');
    put_each_once(out, names->gene, entries, count, found);
    put_char(out, '\t');
    if (count) {
        int64_t transcript = found->transcript[entries[0].pair];
        put_piece(out, text_at(names->transcript, transcript));
        put_char(out, '\t');
        put_piece(out, text_at(found->hgvsc, entries[0].pair));
        put_char(out, '\t');
        put_hgvsp(out, text_at(names->protein, transcript), hgvsp_of(entries, found, said), 0);
        put_char(out, '\t');
        put_piece(out, amino_acids_of(entries, found, said));
    } else {
        put_literal(out, "\t\t\t");
    }
    put_char(out, '\t');
    put_number(out, all);
    put_char(out, '\n');
}

/* --- alleles */

#define MOST_LOOKED_AT 8 /* texts of a span: substitutions have no more names, and a text may stand twice */

/* The alleles, each of a span. */
struct named {
    int64_t count;
    const int32_t *span; /* new spans in ascending order */
    const struct texts *name; /* one each: what heads its entries */
};

/* Room to work in. */
struct scratch {
    struct entry *entries; /* of one span: as many as there are pairs and said */
    int64_t entry_count;
    struct text tails; /* of all spans */
    int64_t *tail_end; /* one for each pair and said: where in `tails` it ends */
    int64_t tail_count;
    int64_t *span_tails; /* a row of two for each span: its first tail, and the one behind its last */
    int64_t *span_texts; /* one for each span: the latest of its texts, -1 for none */
    int64_t span_count;
    int64_t *before; /* one for each allele: the text of the same span before this one, -1 for none */
    int64_t *of_allele; /* one for each allele: an allele of which this text is */
};

struct written {
    struct text csq; /* the texts, one behind the other */
    int64_t *csq_at; /* where each of them stands; room for as many as there are alleles */
    int32_t *csq_length;
    struct text rows; /* a line for each span: put_row */
    int32_t *text_of; /* one for each allele: the number of its text */
    int64_t text_count;
};

/* Collects the entries of one span from the pairs at *pair and what is said at *word, and passes over these. */
static int64_t take_span(int64_t span, const struct found *found, const struct said *said, int64_t *pair,
                         int64_t *word, struct scratch *scratch) {
    int64_t count = 0, words = *word;
    while (words < said->count && said->span[words] == span)
        words++;
    for (; *pair < found->count && found->span[*pair] == span; ++*pair) {
        int any = 0;
        for (int64_t at = *word; at < words; at++) {
            if (said->transcript[at] != found->transcript[*pair])
                continue;
            if (count >= scratch->entry_count)
                return -1;
            scratch->entries[count++] = (struct entry){*pair, at, 0};
            any = 1;
        }
        if (any)
            continue;
        if (count >= scratch->entry_count)
            return -1;
        scratch->entries[count++] = (struct entry){*pair, -1, 0};
    }
    *word = words;
    return count;
}

static void put_intergenic(struct text *out) { put_literal(out, "|intergenic_variant|MODIFIER||||||||||||"); }

static void put_csq(struct text *out, struct piece name, int64_t span, const struct scratch *scratch) {
    int64_t first = scratch->span_tails[2 * span], last = scratch->span_tails[2 * span + 1];
    for (int64_t tail = first; tail < last; tail++) {
        int64_t start = tail ? scratch->tail_end[tail - 1] : 0, end = scratch->tail_end[tail];
        put(out, ",", tail > first);
        put_piece(out, name);
        if (fits(&scratch->tails))
            put(out, scratch->tails.bytes + start, end - start);
        else
            out->used += end - start; /* only counted: the whole is written anew with more room */
    }
    if (first == last) {
        put_piece(out, name);
        put_intergenic(out);
    }
}

static int64_t write_span(int64_t span, const struct found *found, const struct said *said,
                          const struct names *names, int64_t *pair, int64_t *word, int64_t *tails,
                          struct scratch *scratch, struct written *out) {
    int64_t count = take_span(span, found, said, pair, word, scratch);
    if (count < 0 || count > scratch->tail_count - *tails)
        return -1;
    for (int64_t at = 0; at < count; at++) {
        struct entry *entry = scratch->entries + at;
        int32_t transcript = found->transcript[entry->pair];
        if (transcript < 0 || transcript >= names->count || !found->terms[entry->pair])
            return -1;
        int has_word = entry->said >= 0;
        entry->terms =
            agreed(found->terms[entry->pair], has_word ? said->terms[entry->said] : 0,
                   names->protein && text_at(names->protein, transcript).length <= 0
                       ? (struct piece){"", -1}
                       : text_at(found->change, entry->pair),
                   text_at(found->amino_acids, entry->pair), has_word && said->is_joint[entry->said]);
        if (!entry->terms)
            return -1;
    }
    sort_entries(scratch->entries, count, found, said, names);
    scratch->span_tails[2 * span] = *tails;
    for (int64_t at = 0; at < count; at++) {
        put_tail(&scratch->tails, scratch->entries + at, found, said, names);
        scratch->tail_end[(*tails)++] = scratch->tails.used;
    }
    scratch->span_tails[2 * span + 1] = *tails;
    put_row(&out->rows, scratch->entries, count, found, said, names);
    return 0;
}

/* Write the CSQ text of each allele and the columns of each span.
 *
 * Entries stand most severe first, then canonical transcripts, then in order of transcript. Each text is
 * written once, and alleles of one span and name share it. Returns the number of spans, or -1 for numbers
 * that are out of range or order.
 */
int64_t write_entries(const struct named *alleles, const struct found *found, const struct said *said,
                      const struct names *names, struct scratch *scratch, struct written *out) {
    int64_t spans = 0, pair = 0, word = 0, tails = 0;
    scratch->tails.used = out->csq.used = out->rows.used = 0;
    out->text_count = 0;
    for (int64_t number = 0; number < alleles->count; number++) {
        int64_t span = alleles->span[number];
        if (span < 0 || span > spans || span >= scratch->span_count)
            return -1;
        if (span == spans) {
            if (write_span(span, found, said, names, &pair, &word, &tails, scratch, out) < 0)
                return -1;
            scratch->span_texts[span] = -1;
            spans++;
        }
        struct piece name = text_at(alleles->name, number);
        int64_t text = scratch->span_texts[span];
        int looked_at = 0;
        while (text >= 0 && !same(name, text_at(alleles->name, scratch->of_allele[text])))
            text = ++looked_at < MOST_LOOKED_AT ? scratch->before[text] : -1;
        if (text < 0) {
            text = out->text_count++;
            scratch->of_allele[text] = number;
            scratch->before[text] = scratch->span_texts[span];
            scratch->span_texts[span] = text;
            out->csq_at[text] = out->csq.used;
            put_csq(&out->csq, name, span, scratch);
            out->csq_length[text] = (int32_t)(out->csq.used - out->csq_at[text]);
        }
        out->text_of[number] = (int32_t)text;
    }
    return spans;
}
