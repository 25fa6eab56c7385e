/* Descriptions of alleles on transcripts, as they are written. */
#ifndef DESCRIBE_H
#define DESCRIBE_H

#include "genetic_code.h"
#include "spliced.h"
#include "text.h"

#define OUT_OF_RANGE (-1)

enum column { HGVSC, HGVSP, AMINO_ACIDS, CODONS, COLUMNS };

/* The descriptions of each pair, one behind the other; a length of -1 is a null. */
struct descriptions {
    struct text text;
    int64_t count;
    int64_t *at; /* COLUMNS x count: where each starts */
    int32_t *length; /* COLUMNS x count */
    int32_t *residue; /* count: number of the first residue concerned, 0 for none */
    int64_t next; /* the first pair that is not described yet */
};

/* A text that was written at `start`; a length of -1 for none. */
static inline void set_column(struct descriptions *out, int64_t pair, enum column column, int64_t start,
                              int64_t length) {
    out->at[column * out->count + pair] = length < 0 ? 0 : start;
    out->length[column * out->count + pair] = (int32_t)length;
}

/* What a substitution does to a codon of known bases. `changed` is which of its bases, 0 to 2; `residue` the
 * codon's number, from 1. Returns 0, having written nothing, where a stop codon is lost: then the transcript
 * has to be read on. */
int describe_codon(const struct genetic_code *code, const char *before, int changed, char alt,
                   int64_t residue, int is_start, int64_t pair, struct descriptions *out);

#endif
