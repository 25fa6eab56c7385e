/* Bases as upper-case letters: those of a genome, read in blocks, and those of alleles. */
#ifndef BASES_H
#define BASES_H

#include <stdint.h>

#define UNKNOWN_CODE 4

/* 0 A, 1 C, 2 G, 3 T, 4 anything else. */
static inline int base_code(char letter) {
    switch (letter) {
    case 'A':
        return 0;
    case 'C':
        return 1;
    case 'G':
        return 2;
    case 'T':
        return 3;
    default:
        return UNKNOWN_CODE;
    }
}

static inline char complement(char letter) {
    switch (letter) {
    case 'A':
        return 'T';
    case 'C':
        return 'G';
    case 'G':
        return 'C';
    case 'T':
        return 'A';
    default:
        return letter;
    }
}

#define BLOCK_BITS 14 /* as in hgvs/genome.py */
#define BLOCK_BASES ((int64_t)1 << BLOCK_BITS)
#define LACKS_BASES (-2) /* what a function returns that came to a block that is not held */

/* The blocks of a genome that are held. */
struct genome_blocks {
    int64_t count;
    const int32_t *slot; /* count: which of those held each is, -1 for none */
    int64_t held;
    const char *bases;
    int64_t lacking; /* the number of the block that was come to */
};

/* The bases from a place (1-based) to the end of its block; NULL where that is not held. */
static inline const char *bases_from(struct genome_blocks *genome, int64_t place) {
    int64_t number = (place - 1) >> BLOCK_BITS;
    if (number < 0 || number >= genome->count || genome->slot[number] < 0 ||
        genome->slot[number] >= genome->held) {
        genome->lacking = number;
        return 0;
    }
    return genome->bases + genome->slot[number] * BLOCK_BASES + ((place - 1) & (BLOCK_BASES - 1));
}

/* The letter at a place, N before the first one; LACKS_BASES. */
static inline int letter_at(struct genome_blocks *genome, int64_t place) {
    if (place < 1)
        return 'N';
    const char *found = bases_from(genome, place);
    return found ? *found : LACKS_BASES;
}

/* Bases of an allele: turned, so that those from `turn` on come first, and then, perhaps, those of the other
 * strand. */
struct allele_bases {
    const char *letters;
    int64_t length;
    int64_t turn; /* 0 to length - 1 */
    int reversed;
};

static inline char allele_base(const struct allele_bases *bases, int64_t at) {
    int64_t from = bases->turn + (bases->reversed ? bases->length - 1 - at : at);
    char letter = bases->letters[from < bases->length ? from : from - bases->length];
    return bases->reversed ? complement(letter) : letter;
}

#endif
