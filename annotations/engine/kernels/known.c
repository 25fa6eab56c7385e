/* Which of a source's known alleles are the ones that are asked for. */
#include "text.h"

/* Alleles, left-aligned and parsimonious, one each. */
struct known_alleles {
    int64_t count;
    const int32_t *contig; /* the plan's number of it */
    const int32_t *pos;
    const struct texts *ref;
    const struct texts *alt;
};

static uint64_t place_hash(int32_t contig, int32_t pos) {
    uint64_t mixed = ((uint64_t)(uint32_t)contig << 32 | (uint32_t)pos) * UINT64_C(0x9E3779B97F4A7C15);
    return mixed ^ (mixed >> 29);
}

static int is_same(struct piece one, struct piece other) {
    return one.length >= 0 && one.length == other.length &&
           !memcmp(one.bytes, other.bytes, (size_t)one.length);
}

/* Match what is asked with what is listed, by contig, position, REF and ALT.
 *
 * `first` (one for each asked) gets the first listed row that matches, -1 for none, and `next` (one for each
 * listed) the row after it that has the same allele. `heads` has room for `head_count` numbers, a power of
 * two; `chain` for as many as are listed. Returns how many of the asked are known, or -1 for a size that is
 * none.
 */
int64_t match_known(const struct known_alleles *asked, const struct known_alleles *listed, int32_t *heads,
                    int64_t head_count, int32_t *chain, int32_t *first, int32_t *next) {
    if (head_count < 1 || (head_count & (head_count - 1)))
        return -1;
    uint64_t mask = (uint64_t)head_count - 1;
    int64_t found = 0;
    for (int64_t head = 0; head < head_count; head++)
        heads[head] = -1;
    for (int64_t row = listed->count - 1; row >= 0; row--) { /* so that a chain is in order of row */
        int32_t *head = heads + (place_hash(listed->contig[row], listed->pos[row]) & mask);
        chain[row] = *head;
        *head = (int32_t)row;
        next[row] = -1;
    }
    for (int64_t number = 0; number < asked->count; number++) {
        int32_t contig = asked->contig[number], pos = asked->pos[number];
        struct piece ref = text_at(asked->ref, number), alt = text_at(asked->alt, number);
        int32_t latest = -1;
        first[number] = -1;
        if (ref.length < 0)
            continue;
        for (int32_t row = heads[place_hash(contig, pos) & mask]; row >= 0; row = chain[row]) {
            if (listed->pos[row] != pos || listed->contig[row] != contig ||
                !is_same(ref, text_at(listed->ref, row)) || !is_same(alt, text_at(listed->alt, row)))
                continue;
            if (latest < 0)
                first[number] = row;
            else
                next[latest] = row;
            latest = row;
        }
        found += latest >= 0;
    }
    return found;
}
