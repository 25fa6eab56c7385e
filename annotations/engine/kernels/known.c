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

/* Where the alleles that are asked for are found, and which rows they are of those that are kept. */
struct asked {
    int64_t head_count; /* a power of two */
    int32_t *heads;
    int32_t *chain; /* one for each asked, like the next two */
    int32_t *first; /* the first row that is kept for it, -1 for none */
    int32_t *last; /* and the last one */
};

static uint64_t place_hash(int32_t contig, int32_t pos) {
    uint64_t mixed = ((uint64_t)(uint32_t)contig << 32 | (uint32_t)pos) * UINT64_C(0x9E3779B97F4A7C15);
    return mixed ^ (mixed >> 29);
}

static int is_same(struct piece one, struct piece other) {
    if (one.length != other.length || one.length < 0)
        return 0;
    if (one.length == 1) /* as most are */
        return *one.bytes == *other.bytes;
    return !memcmp(one.bytes, other.bytes, (size_t)one.length);
}

/* Lay out the alleles that are asked for, so that `match_known` finds them. Returns their number, or -1 for a
 * size that is none. */
int64_t ask_for_known(const struct known_alleles *alleles, struct asked *asked) {
    if (asked->head_count < 1 || (asked->head_count & (asked->head_count - 1)))
        return -1;
    uint64_t mask = (uint64_t)asked->head_count - 1;
    for (int64_t head = 0; head < asked->head_count; head++)
        asked->heads[head] = -1;
    for (int64_t number = 0; number < alleles->count; number++) {
        int32_t *head = asked->heads + (place_hash(alleles->contig[number], alleles->pos[number]) & mask);
        asked->chain[number] = *head;
        *head = (int32_t)number;
        asked->first[number] = asked->last[number] = -1;
    }
    return alleles->count;
}

/* Match what is listed with what is asked for, by contig, position, REF and ALT.
 *
 * May be called for one part of the listed rows after the other; `kept` of those before are kept. `rows` (one
 * for each listed) gets those of this part that are kept on, and `before` (likewise) which kept one of the
 * same allele was the last before it, -1 for none. Returns how many of this part are kept.
 */
int64_t match_known(const struct known_alleles *alleles, struct asked *asked,
                    const struct known_alleles *listed, int64_t kept, int32_t *rows, int32_t *before) {
    uint64_t mask = (uint64_t)asked->head_count - 1;
    int64_t found = 0;
    for (int64_t row = 0; row < listed->count; row++) {
        int32_t contig = listed->contig[row], pos = listed->pos[row], previous = -1;
        int is_kept = 0;
        for (int32_t number = asked->heads[place_hash(contig, pos) & mask]; number >= 0;
             number = asked->chain[number]) {
            if (alleles->pos[number] != pos || alleles->contig[number] != contig ||
                !is_same(text_at(alleles->ref, number), text_at(listed->ref, row)) ||
                !is_same(text_at(alleles->alt, number), text_at(listed->alt, row)))
                continue;
            previous = asked->last[number]; /* the same for every record that has this allele */
            asked->last[number] = (int32_t)(kept + found);
            if (asked->first[number] < 0)
                asked->first[number] = asked->last[number];
            is_kept = 1;
        }
        if (is_kept) {
            rows[found] = (int32_t)row;
            before[found++] = previous;
        }
    }
    return found;
}
