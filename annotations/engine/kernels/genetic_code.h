/* How codons are read: to numbers of residues. */
#ifndef GENETIC_CODE_H
#define GENETIC_CODE_H

#include "bases.h"
#include "text.h"

#define CODONS_READ 125 /* 25 * first base code + 5 * second + third */
#define NAME_LETTERS 3 /* of a residue: Val */

struct genetic_code {
    const uint8_t *residue_by_codon; /* CODONS_READ: numbers below residue_count */
    const uint8_t *initiates; /* CODONS_READ */
    int64_t residue_count;
    const char *letters; /* residue_count */
    const char *names; /* residue_count x 3 */
    uint8_t methionine, stop, unknown;
};

static inline int codon_number(const char *codon) {
    return 25 * base_code(codon[0]) + 5 * base_code(codon[1]) + base_code(codon[2]);
}

static inline uint8_t residue_of(const struct genetic_code *code, const char *codon) {
    return code->residue_by_codon[codon_number(codon)];
}

static inline int initiates(const struct genetic_code *code, const char *codon) {
    return code->initiates[codon_number(codon)];
}

static inline void put_letter(struct text *text, const struct genetic_code *code, uint8_t residue) {
    put_char(text, code->letters[residue]);
}

static inline void put_name(struct text *text, const struct genetic_code *code, uint8_t residue) {
    put(text, code->names + NAME_LETTERS * residue, NAME_LETTERS);
}

#endif
