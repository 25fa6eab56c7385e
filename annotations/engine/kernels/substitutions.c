/* HGVS of single-base substitutions on transcripts. The rules stand in docs/engine-hgvs.md.
 *
 * Two steps, for between them the bases of the codons are read from the genome: `find_codons` says where they
 * lie, `describe_substitutions` writes the descriptions. Base codes: 0 A, 1 C, 2 G, 3 T, 4 anything else.
 */
#include "exons.h"
#include "text.h"

#define CODES 5
#define UNKNOWN_CODE 4
#define NAME_LETTERS 3 /* of a residue: Val */

static const char BASE_LETTERS[] = "ACGTN";
static const char LOWER_LETTERS[] = "acgtn";
static const uint8_t COMPLEMENT[CODES] = {3, 2, 1, 0, 4};

/* Transcripts as they are spliced. */
struct spliced {
    struct exons exons;
    const int64_t *exon_cdna; /* exon_count: cDNA position of the exon's first transcribed base */
    const int64_t *coding_first; /* transcript_count: cDNA positions, 0 where nothing is coding */
    const int64_t *coding_last;
    const int64_t *pad; /* bases of the first codon that an incomplete start lacks, -1: frame not known */
};

/* Pairs of allele and transcript. */
struct substitutions {
    int64_t count;
    const int32_t *transcript;
    const int64_t *place; /* on the line, 1-based */
    const uint8_t *ref; /* base codes on the forward strand */
    const uint8_t *alt;
};

/* A place on its transcript. */
struct cdna_place {
    int inside;
    int64_t base; /* in the spliced transcript, 1-based; in an intron, of the nearest exonic base */
    int64_t offset; /* 0 in an exon, else the signed distance from that base along the transcript */
    int64_t exon;
};

static struct cdna_place to_cdna(const struct spliced *model, int64_t transcript, int64_t place) {
    int64_t first = model->exons.first[transcript], last = model->exons.first[transcript + 1] - 1;
    struct cdna_place at = {0, 0, 0, first};
    if (place < model->exons.start[first] || place > model->exons.end[last])
        return at;
    int forward = model->exons.forward[transcript];
    int64_t left = exon_before(&model->exons, transcript, place);
    int64_t past_left = place - model->exons.end[left];
    at.inside = 1;
    at.exon = left;
    if (past_left <= 0) {
        at.base = model->exon_cdna[left] + (forward ? place - model->exons.start[left] : -past_left);
        return at;
    }
    int64_t right = left + 1; /* there is one: the place is not behind the last exon */
    int64_t to_right = model->exons.start[right] - place;
    /* the middle base of an intron counts from the exon before it: HGVS's rule, and VEP's */
    int from_left = forward ? past_left <= to_right : past_left < to_right;
    int64_t exon = from_left ? left : right;
    at.base = model->exon_cdna[exon];
    if (from_left == forward)
        at.base += model->exons.end[exon] - model->exons.start[exon];
    int64_t distance = from_left ? past_left : -to_right;
    at.offset = forward ? distance : -distance;
    return at;
}

/* The place on the line of a base of the transcript, looked for from an exon near it. */
static int64_t to_line(const struct spliced *model, int64_t transcript, int64_t base, int64_t exon) {
    int64_t first = model->exons.first[transcript], last = model->exons.first[transcript + 1] - 1;
    int64_t step = model->exons.forward[transcript] ? 1 : -1;
    for (;;) {
        int64_t into = base - model->exon_cdna[exon];
        int64_t length = model->exons.end[exon] - model->exons.start[exon] + 1;
        if (into >= 0 && into < length)
            return step > 0 ? model->exons.start[exon] + into : model->exons.end[exon] - into;
        exon += into < 0 ? -step : step;
        if (exon < first || exon > last)
            return 0;
    }
}

/* Where the three bases of each pair's codon lie on the line (count x 3), in the transcript's direction.
 *
 * 0 for all three where the allele is in no whole codon of a known reading frame. `residue` gets the number of
 * the codon in the protein, from 1, and `in_codon` which of its bases it is, 0 to 2. Returns how many there
 * are, or -1 for a transcript that there is not.
 */
int64_t find_codons(const struct spliced *model, const struct substitutions *pairs, int64_t *places,
                    int32_t *residue, uint8_t *in_codon) {
    int64_t found = 0;
    for (int64_t pair = 0; pair < pairs->count; pair++) {
        int64_t transcript = pairs->transcript[pair];
        if (transcript < 0 || transcript >= model->exons.transcript_count)
            return -1;
        int64_t *codon = places + 3 * pair;
        codon[0] = codon[1] = codon[2] = 0;
        residue[pair] = 0;
        in_codon[pair] = 0;
        int64_t first = model->coding_first[transcript], last = model->coding_last[transcript];
        int64_t pad = model->pad[transcript];
        if (first <= 0 || pad < 0)
            continue;
        struct cdna_place at = to_cdna(model, transcript, pairs->place[pair]);
        if (!at.inside || at.offset || at.base < first || at.base > last)
            continue;
        int64_t in_frame = at.base - first + pad;
        int64_t start = at.base - in_frame % 3;
        if (start < first || start + 2 > last)
            continue;
        for (int base = 0; base < 3; base++)
            codon[base] = to_line(model, transcript, start + base, at.exon);
        residue[pair] = (int32_t)(in_frame / 3 + 1);
        in_codon[pair] = (uint8_t)(in_frame % 3);
        found++;
    }
    return found;
}

/* How codons are read: numbers of residues, 0 to residue_count. */
struct genetic_code {
    const uint8_t *residue_by_codon; /* 125: 25 * first base + 5 * second + third */
    const uint8_t *initiates; /* 125 */
    int64_t residue_count;
    const char *letters; /* residue_count */
    const char *names; /* residue_count x 3 */
    uint8_t methionine, stop, unknown;
};

enum column { HGVSC, HGVSP, AMINO_ACIDS, CODONS, COLUMNS };

/* The descriptions of each pair, one behind the other; a length of -1 is a null. */
struct descriptions {
    struct text text;
    int64_t *at; /* count x COLUMNS: where each starts */
    int32_t *length; /* count x COLUMNS */
    int32_t *residue; /* count: number of the residue that changes, 0 for none */
    uint8_t *reads_on; /* count: a stop codon is lost, so that the protein is for the exact way to describe */
};

static void begin(struct descriptions *out, int64_t pair, enum column column) {
    out->at[COLUMNS * pair + column] = out->text.used;
}

static void finish(struct descriptions *out, int64_t pair, enum column column) {
    int64_t cell = COLUMNS * pair + column;
    out->length[cell] = (int32_t)(out->text.used - out->at[cell]);
}

/* `ENST….7:c.2149G>T`; `76`, `-12`, `*34`, `123+4` are HGVS's numbers for places in a transcript. */
static void put_coding_name(struct text *text, const struct spliced *model, int64_t transcript,
                            struct piece id, struct cdna_place at, int ref, int alt) {
    int64_t first = model->coding_first[transcript], last = model->coding_last[transcript];
    put_piece(text, id);
    if (first <= 0) {
        put_literal(text, ":n.");
        put_number(text, at.base);
    } else {
        put_literal(text, ":c.");
        if (at.base > last) {
            put_char(text, '*');
            put_number(text, at.base - last);
        } else {
            /* there is no c.0: c.-1 comes before c.1 */
            put_number(text, at.base >= first ? at.base - first + 1 : at.base - first);
        }
    }
    if (at.offset > 0)
        put_char(text, '+');
    if (at.offset)
        put_number(text, at.offset);
    put_char(text, BASE_LETTERS[ref]);
    put_char(text, '>');
    put_char(text, BASE_LETTERS[alt]);
}

static void put_codon(struct text *text, const uint8_t *codon, int changed) {
    for (int base = 0; base < 3; base++)
        put_char(text, (base == changed ? BASE_LETTERS : LOWER_LETTERS)[codon[base]]);
}

static int codon_number(const uint8_t *codon) { return 25 * codon[0] + 5 * codon[1] + codon[2]; }

static void describe_protein(struct descriptions *out, int64_t pair, const struct genetic_code *code,
                             const uint8_t *before, int changed, int alt, int32_t residue, int is_start) {
    uint8_t after[3] = {before[0], before[1], before[2]};
    after[changed] = (uint8_t)alt;
    uint8_t old = code->residue_by_codon[codon_number(before)];
    uint8_t new = code->residue_by_codon[codon_number(after)];
    int starts = is_start && code->initiates[codon_number(before)];
    int keeps_start = starts && code->initiates[codon_number(after)];
    if (keeps_start)
        old = new = code->methionine; /* ATT and its like are read as Met there */
    if (old == code->unknown || new == code->unknown || old >= code->residue_count ||
        new >= code->residue_count)
        return;
    if (old == code->stop && new != code->stop) {
        out->reads_on[pair] = 1;
        return;
    }
    struct text *text = &out->text;
    begin(out, pair, HGVSP);
    if (starts && !keeps_start) {
        put_literal(text, "Met1?");
    } else {
        put(text, code->names + NAME_LETTERS * old, NAME_LETTERS);
        put_number(text, residue);
        if (old == new)
            put_char(text, '=');
        else
            put(text, code->names + NAME_LETTERS * new, NAME_LETTERS);
    }
    finish(out, pair, HGVSP);
    begin(out, pair, AMINO_ACIDS);
    put_char(text, code->letters[old]);
    if (old != new) {
        put_char(text, '/');
        put_char(text, code->letters[new]);
    }
    finish(out, pair, AMINO_ACIDS);
    begin(out, pair, CODONS);
    put_codon(text, before, changed);
    put_char(text, '/');
    put_codon(text, after, changed);
    finish(out, pair, CODONS);
    out->residue[pair] = residue;
}

/* Describe pairs; HGVSP is the bare change, without accession and parentheses.
 *
 * `ids` has the id of each transcript; `codon_bases` (count x 3) the base codes at the places of find_codons,
 * on the forward strand, of which a pair with residue 0 has none. What is no change between two known bases
 * is described by nulls, and REF has to be the genome's where a codon is read. Returns 0, or -1 for a number
 * that is out of range.
 */
int64_t describe_substitutions(const struct spliced *model, const struct substitutions *pairs,
                               const struct texts *ids, const int32_t *residue, const uint8_t *in_codon,
                               const uint8_t *codon_bases, const struct genetic_code *code,
                               struct descriptions *out) {
    out->text.used = 0;
    if (ids->count != model->exons.transcript_count)
        return -1;
    for (int64_t pair = 0; pair < pairs->count; pair++) {
        int64_t transcript = pairs->transcript[pair];
        int ref = pairs->ref[pair], alt = pairs->alt[pair], changed = in_codon[pair];
        if (transcript < 0 || transcript >= model->exons.transcript_count || ref >= CODES || alt >= CODES || changed > 2)
            return -1;
        for (int column = 0; column < COLUMNS; column++) {
            out->at[COLUMNS * pair + column] = 0;
            out->length[COLUMNS * pair + column] = -1;
        }
        out->residue[pair] = 0;
        out->reads_on[pair] = 0;
        if (ref == UNKNOWN_CODE || alt == UNKNOWN_CODE || ref == alt)
            continue;
        struct cdna_place at = to_cdna(model, transcript, pairs->place[pair]);
        if (!at.inside)
            continue;
        int forward = model->exons.forward[transcript];
        if (!forward) {
            ref = COMPLEMENT[ref];
            alt = COMPLEMENT[alt];
        }
        begin(out, pair, HGVSC);
        put_coding_name(&out->text, model, transcript, text_at(ids, transcript), at, ref, alt);
        finish(out, pair, HGVSC);
        if (!residue[pair])
            continue;
        uint8_t before[3];
        for (int base = 0; base < 3; base++) {
            uint8_t found = codon_bases[3 * pair + base];
            if (found >= CODES)
                return -1;
            before[base] = forward ? found : COMPLEMENT[found];
        }
        if (before[changed] == ref)
            describe_protein(out, pair, code, before, changed, alt, residue[pair],
                             residue[pair] == 1 && model->pad[transcript] == 0);
    }
    return 0;
}
