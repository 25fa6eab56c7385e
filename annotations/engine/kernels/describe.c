/* HGVS of alleles on transcripts. The conventions stand in docs/engine-hgvs.md. */
#include "describe.h"
#include "placement.h"
#include "protein.h"

enum state { ALL_DESCRIBED, WANTS_BASES, WANTS_ROOM };

/* Pairs of transcript and allele, one each. */
struct pairs {
    int64_t count;
    const int32_t *transcript;
    const int64_t *place; /* on the line, 1-based */
    const struct texts *ref; /* forward; upper case, if they are to be described */
    const struct texts *alt;
};

/* Spliced transcripts, kept as long as there is room. */
struct cdna_store {
    char *bases;
    int64_t size; /* not less than the longest transcript has */
    int64_t used;
    int64_t *at; /* of each transcript: where it starts, -1 for those that are not kept */
    uint8_t *has_initiator; /* of each that is kept, as in struct coding_transcript */
    uint8_t *reads_to_its_end;
};

/* What to describe alleles by. */
struct reference {
    const struct spliced *model;
    const struct texts *ids;
    const struct genetic_code *code;
    struct cdna_store *store;
};

/* The same with the genome, and where descriptions go. */
struct describer {
    const struct spliced *model;
    const struct texts *ids;
    const struct genetic_code *code;
    struct cdna_store *store;
    struct genome_blocks *genome;
    struct descriptions *out;
};

struct allele {
    int64_t pair;
    int64_t transcript;
    int64_t place;
    struct piece ref, alt;
};

/* --- names of places */

/* `76`, `-12`, `*34`, `123+4`: https://hgvs-nomenclature.org/stable/background/numbering/ */
static void put_place(struct text *text, const struct spliced *model, int64_t transcript,
                      struct cdna_place at) {
    int64_t first = model->coding_first[transcript], last = model->coding_last[transcript];
    if (first <= 0) {
        put_number(text, at.base);
    } else if (at.base > last) {
        put_char(text, '*');
        put_number(text, at.base - last);
    } else {
        /* there is no c.0: c.-1 comes before c.1 */
        put_number(text, at.base >= first ? at.base - first + 1 : at.base - first);
    }
    if (at.offset > 0)
        put_char(text, '+');
    if (at.offset)
        put_number(text, at.offset);
}

/* `ENST….7:c.`, or `:n.` where there is no coding sequence. */
static void put_reference(struct text *text, const struct describer *by, int64_t transcript) {
    put_piece(text, text_at(by->ids, transcript));
    if (by->model->coding_first[transcript] > 0)
        put_literal(text, ":c.");
    else
        put_literal(text, ":n.");
}

static void put_bases(struct text *text, const struct allele_bases *bases) {
    for (int64_t at = 0; at < bases->length; at++)
        put_char(text, allele_base(bases, at));
}

static void put_change(struct text *text, const struct placement *placed) {
    static const struct piece names[] = {[SUBSTITUTION] = {">", 1}, [DELETION] = {"del", 3},
                                         [DUPLICATION] = {"dup", 3}, [INSERTION] = {"ins", 3},
                                         [DELINS] = {"delins", 6},   [INVERSION] = {"inv", 3}};
    if (placed->kind == SUBSTITUTION)
        put_bases(text, &placed->deleted);
    put_piece(text, names[placed->kind]);
    if (placed->kind == SUBSTITUTION || placed->kind == INSERTION || placed->kind == DELINS)
        put_bases(text, &placed->inserted);
}

/* --- spliced transcripts */

static int64_t splice(const struct describer *by, int64_t transcript, char *cdna) {
    const struct exons *exons = &by->model->exons;
    int64_t used = 0, first = exons->first[transcript], last = exons->first[transcript + 1] - 1;
    int64_t length = by->model->length[transcript];
    int forward = exons->forward[transcript];
    for (int64_t exon = first; exon <= last; exon++) {
        for (int64_t place = exons->start[exon]; place <= exons->end[exon];) {
            const char *bases = bases_from(by->genome, place);
            if (!bases)
                return LACKS_BASES;
            int64_t count = BLOCK_BASES - ((place - 1) & (BLOCK_BASES - 1));
            if (count > exons->end[exon] - place + 1)
                count = exons->end[exon] - place + 1;
            if (count > length - used)
                return OUT_OF_RANGE;
            for (int64_t at = 0; at < count; at++) {
                if (forward)
                    cdna[used + at] = bases[at];
                else
                    cdna[length - 1 - used - at] = complement(bases[at]);
            }
            used += count;
            place += count;
        }
    }
    return used == length ? 0 : OUT_OF_RANGE;
}

/* The transcript as it is translated. Returns 1; 0 where nothing is, or the frame is not known; LACKS_BASES;
 * OUT_OF_RANGE. */
static int64_t coding_transcript(const struct describer *by, int64_t number, struct coding_transcript *out) {
    const struct spliced *model = by->model;
    struct cdna_store *store = by->store;
    int64_t first = model->coding_first[number], last = model->coding_last[number];
    int64_t length = model->length[number];
    if (first <= 0 || last < first || last > length || model->pad[number] < 0 || model->pad[number] > 2)
        return 0;
    if (length > store->size)
        return OUT_OF_RANGE;
    int is_kept = store->at[number] >= 0 && store->at[number] <= store->used - length;
    if (!is_kept) {
        if (length > store->size - store->used) {
            for (int64_t other = 0; other < model->exons.transcript_count; other++)
                store->at[other] = -1;
            store->used = 0;
        }
        int64_t spliced = splice(by, number, store->bases + store->used);
        if (spliced < 0)
            return spliced;
        store->at[number] = store->used;
        store->used += length;
    }
    *out = (struct coding_transcript){.code = by->code,
                                      .cdna = store->bases + store->at[number],
                                      .length = length,
                                      .start = first - 1,
                                      .end = last,
                                      .pad = model->pad[number],
                                      .has_initiator = store->has_initiator[number],
                                      .reads_to_its_end = store->reads_to_its_end[number]};
    if (!is_kept) {
        read_protein(out);
        store->has_initiator[number] = (uint8_t)out->has_initiator;
        store->reads_to_its_end[number] = (uint8_t)out->reads_to_its_end;
    }
    return 1;
}

/* --- insertions, deletions and whatever else is more than one base, and lost stop codons */

static int64_t describe_protein(const struct describer *by, const struct allele *allele,
                                const struct cdna_edit *edit) {
    struct descriptions *out = by->out;
    struct coding_transcript coding;
    int64_t found = coding_transcript(by, allele->transcript, &coding), pair = allele->pair;
    if (found != 1)
        return found;
    int64_t start = out->text.used;
    struct protein_change change = describe_edit(&coding, edit, &out->text);
    set_column(out, pair, HGVSP, start, change.hgvs);
    start += change.hgvs < 0 ? 0 : change.hgvs;
    set_column(out, pair, AMINO_ACIDS, start, change.amino_acids);
    start += change.amino_acids < 0 ? 0 : change.amino_acids;
    set_column(out, pair, CODONS, start, change.codons);
    out->residue[pair] = (int32_t)change.residue;
    return 0;
}

/* The edit of the cDNA where a placement names its bases `low` to `high`, 1-based and inclusive. */
static struct cdna_edit edit_of(const struct placement *placed, int64_t low, int64_t high) {
    if (placed->kind == INSERTION)
        return (struct cdna_edit){low, low, placed->inserted};
    if (placed->kind == DUPLICATION)
        return (struct cdna_edit){high, high, placed->inserted};
    return (struct cdna_edit){low - 1, high, placed->inserted};
}

static int64_t describe_rearrangement(const struct describer *by, const struct allele *allele) {
    const struct spliced *model = by->model;
    int64_t transcript = allele->transcript;
    struct placement placed;
    int found =
        place_allele(model, by->genome, transcript, allele->place, allele->ref, allele->alt, &placed);
    if (found != 1)
        return found;
    struct cdna_place start = to_cdna(model, transcript, placed.start);
    struct cdna_place end = to_cdna(model, transcript, placed.end);
    int forward = model->exons.forward[transcript];
    struct text *text = &by->out->text;
    int64_t text_start = text->used;
    put_reference(text, by, transcript);
    put_place(text, model, transcript, forward ? start : end);
    if (placed.start != placed.end) {
        put_char(text, '_');
        put_place(text, model, transcript, forward ? end : start);
    }
    put_change(text, &placed);
    set_column(by->out, allele->pair, HGVSC, text_start, text->used - text_start);

    int64_t low = forward ? start.base : end.base, high = forward ? end.base : start.base;
    int in_one_exon = !start.offset && !end.offset && high - low == placed.end - placed.start;
    /* what reaches over an exon's border is not known; what is beside the coding sequence changes nothing */
    if (!in_one_exon || high < model->coding_first[transcript] || low > model->coding_last[transcript])
        return 0;
    struct cdna_edit edit = edit_of(&placed, low, high);
    return describe_protein(by, allele, &edit);
}

/* --- single bases */

static int64_t describe_substitution(const struct describer *by, const struct allele *allele) {
    const struct spliced *model = by->model;
    int64_t transcript = allele->transcript;
    struct cdna_place at = to_cdna(model, transcript, allele->place);
    if (!at.inside)
        return 0;
    int forward = model->exons.forward[transcript];
    char ref = forward ? *allele->ref.bytes : complement(*allele->ref.bytes);
    char alt = forward ? *allele->alt.bytes : complement(*allele->alt.bytes);
    struct text *text = &by->out->text;
    int64_t start = text->used;
    put_reference(text, by, transcript);
    put_place(text, model, transcript, at);
    put_char(text, ref);
    put_char(text, '>');
    put_char(text, alt);
    set_column(by->out, allele->pair, HGVSC, start, text->used - start);

    int64_t first = model->coding_first[transcript], last = model->coding_last[transcript];
    int64_t pad = model->pad[transcript];
    if (first <= 0 || pad < 0 || at.offset || at.base < first || at.base > last)
        return 0;
    int64_t in_frame = at.base - first + pad, codon_start = at.base - in_frame % 3;
    if (codon_start < first || codon_start + 2 > last)
        return 0;
    char codon[3];
    for (int base = 0; base < 3; base++) {
        int letter = letter_at(by->genome, to_line(model, transcript, codon_start + base, at.exon));
        if (letter == LACKS_BASES)
            return LACKS_BASES;
        if (base_code((char)letter) == UNKNOWN_CODE)
            return 0;
        codon[base] = forward ? (char)letter : complement((char)letter);
    }
    int changed = (int)(in_frame % 3);
    if (codon[changed] != ref || describe_codon(by->code, codon, changed, alt, in_frame / 3 + 1,
                                                in_frame < 3 && !pad, allele->pair, by->out))
        return 0;
    struct cdna_edit edit = {at.base - 1, at.base, {&alt, 1, 0, 0}};
    return describe_protein(by, allele, &edit);
}

/* --- pairs */

static int is_plain(struct piece bases) {
    for (int64_t at = 0; at < bases.length; at++)
        if (base_code(bases.bytes[at]) == UNKNOWN_CODE)
            return 0;
    return bases.length > 0;
}

static int64_t describe_pair(const struct describer *by, const struct allele *allele) {
    struct piece ref = allele->ref, alt = allele->alt;
    for (enum column column = HGVSC; column < COLUMNS; column++)
        set_column(by->out, allele->pair, column, 0, -1);
    by->out->residue[allele->pair] = 0;
    if (allele->transcript < 0 || allele->transcript >= by->model->exons.transcript_count)
        return OUT_OF_RANGE;
    if (!is_plain(ref) || !is_plain(alt) ||
        (ref.length == alt.length && !memcmp(ref.bytes, alt.bytes, (size_t)ref.length)))
        return 0;
    return ref.length == 1 && alt.length == 1 ? describe_substitution(by, allele)
                                              : describe_rearrangement(by, allele);
}

static int is_readable(const struct genetic_code *code) {
    for (int codon = 0; codon < CODONS_READ; codon++)
        if (code->residue_by_codon[codon] >= code->residue_count)
            return 0;
    return code->methionine < code->residue_count && code->stop < code->residue_count &&
           code->unknown < code->residue_count;
}

/* Describe pairs from `out->next` on; HGVSP is the bare change, without accession and parentheses.
 *
 * Returns a state, or OUT_OF_RANGE. Where it wants bases (`genome->lacking` is the block) or more room for
 * text, it is to be called again when they are there. An allele that is not spelled out in A, C, G, T, that
 * changes nothing, or is not on the transcript as a whole, is described by nulls.
 */
int64_t describe_pairs(const struct reference *reference, struct genome_blocks *genome,
                       const struct pairs *pairs, struct descriptions *out) {
    struct describer by = {reference->model, reference->ids, reference->code, reference->store, genome, out};
    if (by.ids->count != by.model->exons.transcript_count || pairs->count != out->count ||
        pairs->ref->count != pairs->count || pairs->alt->count != pairs->count || out->next < 0 ||
        !is_readable(by.code))
        return OUT_OF_RANGE;
    for (; out->next < pairs->count; out->next++) {
        int64_t pair = out->next, start = out->text.used;
        struct allele allele = {pair, pairs->transcript[pair], pairs->place[pair], text_at(pairs->ref, pair),
                                text_at(pairs->alt, pair)};
        int64_t found = describe_pair(&by, &allele);
        if (found == OUT_OF_RANGE || (found == LACKS_BASES && genome->lacking < 0))
            return OUT_OF_RANGE;
        if (found == LACKS_BASES || !fits(&out->text)) {
            out->text.used = start;
            return found == LACKS_BASES ? WANTS_BASES : WANTS_ROOM;
        }
    }
    return ALL_DESCRIBED;
}
