/* What single-base substitutions do to their codons: they are nine in ten of all variants. */
#include "describe.h"

static void put_codon(struct text *text, const char *codon, int changed) {
    for (int base = 0; base < 3; base++)
        put_char(text, base == changed ? codon[base] : (char)(codon[base] + 'a' - 'A'));
}

int describe_codon(const struct genetic_code *code, const char *before, int changed, char alt,
                   int64_t residue, int is_start, int64_t pair, struct descriptions *out) {
    char after[3] = {before[0], before[1], before[2]};
    after[changed] = alt;
    uint8_t old = residue_of(code, before), new = residue_of(code, after);
    int starts = is_start && initiates(code, before), keeps_start = starts && initiates(code, after);
    if (keeps_start)
        old = new = code->methionine; /* ATT and its like are read as Met there */
    if (old == code->unknown || new == code->unknown)
        return 1;
    if (old == code->stop && new != code->stop)
        return 0;
    struct text *text = &out->text;
    int64_t start = text->used;
    if (starts && !keeps_start) {
        put_literal(text, "Met1?");
    } else {
        put_name(text, code, old);
        put_number(text, residue);
        if (old == new)
            put_char(text, '=');
        else
            put_name(text, code, new);
    }
    set_column(out, pair, HGVSP, start, text->used - start);
    start = text->used;
    put_letter(text, code, old);
    if (old != new) {
        put_char(text, '/');
        put_letter(text, code, new);
    }
    set_column(out, pair, AMINO_ACIDS, start, text->used - start);
    start = text->used;
    put_codon(text, before, changed);
    put_char(text, '/');
    put_codon(text, after, changed);
    set_column(out, pair, CODONS, start, text->used - start);
    out->residue[pair] = (int32_t)residue;
    return 1;
}
