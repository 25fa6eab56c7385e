/* Texts that consist of parts with a byte between them. */
#include "text.h"

/* The `numbers[n]`-th part, from 1, of the text of row `rows[n]`: where it starts and how long it is, -1 where
 * the text has not so many. Returns 0. */
int64_t take_parts(const struct texts *texts, int64_t divider, int64_t count, const int32_t *rows,
                   const uint16_t *numbers, int64_t *at, int32_t *length) {
    const char *next = NULL; /* the part behind the last one that was taken */
    for (int64_t number = 0; number < count; number++) {
        struct piece text = text_at(texts, rows[number]);
        const char *end = text.bytes + (text.length < 0 ? 0 : text.length);
        int goes_on = number && next && rows[number] == rows[number - 1] && numbers[number] > numbers[number - 1];
        int to_pass = goes_on ? numbers[number] - numbers[number - 1] - 1 : numbers[number] - 1;
        const char *part = goes_on ? next : text.length < 0 || !numbers[number] ? NULL : text.bytes;
        while (part && to_pass--) {
            part = memchr(part, (int)divider, (size_t)(end - part));
            part = part ? part + 1 : NULL;
        }
        const char *stop = part ? memchr(part, (int)divider, (size_t)(end - part)) : NULL;
        next = stop ? stop + 1 : NULL;
        at[number] = part ? part - texts->bytes : 0;
        length[number] = part ? (int32_t)((stop ? stop : end) - part) : -1;
    }
    return 0;
}

/* How texts are read: parts with `divider` between them, each of which ends with the first `last` byte in it;
 * behind `end` nothing is read. 256 is none. */
struct division {
    int64_t divider;
    int64_t last;
    int64_t end;
};

/* Parts, each once. */
struct distinct {
    int64_t count;
    int64_t size; /* of `at` and `length` */
    int64_t *at;
    int32_t *length;
    int32_t *slots; /* by hash: the number of a part, -1 for none */
    int64_t slot_count; /* a power of two, more than `size` */
};

/* The number of a part, which is added where it is new; -1 where there is no more room. */
static int64_t number_of(struct distinct *found, const char *bytes, const char *part, int32_t length) {
    uint64_t hash = 14695981039346656037u; /* FNV-1a */
    for (int32_t at = 0; at < length; at++)
        hash = (hash ^ (unsigned char)part[at]) * 1099511628211u;
    uint64_t mask = (uint64_t)found->slot_count - 1, slot = (hash ^ hash >> 32) & mask;
    for (; found->slots[slot] >= 0; slot = (slot + 1) & mask) {
        int32_t number = found->slots[slot];
        if (found->length[number] == length && !memcmp(bytes + found->at[number], part, (size_t)length))
            return number;
    }
    if (found->count >= found->size)
        return -1;
    found->at[found->count] = part - bytes;
    found->length[found->count] = length;
    found->slots[slot] = (int32_t)found->count;
    return found->count++;
}

#define EXPECTED 64

static int ends_part(const struct division *by, const char *at, const char *stop) {
    return at == stop || (unsigned char)*at == by->divider || (unsigned char)*at == by->end;
}

/* Whether the bytes from `at` on are the part with this number. */
static int is_part(const struct distinct *found, int64_t number, const struct division *by, const char *bytes,
                   const char *at, const char *stop) {
    int32_t length = found->length[number];
    const char *part = bytes + found->at[number];
    return length <= stop - at && !memcmp(at, part, (size_t)length) &&
           ((length && (unsigned char)part[length - 1] == by->last) || ends_part(by, at + length, stop));
}

/* Collect the parts of all texts, in the order in which they first come.
 *
 * Most texts have the parts of the one before: where they do, no part is looked up. Returns how many parts
 * there are, or one more than `size` where there are more than that.
 */
int64_t find_distinct_parts(const struct texts *texts, const struct division *by, struct distinct *found) {
    int64_t expected[EXPECTED]; /* parts of the text before */
    int64_t expected_count = 0;
    found->count = 0;
    if (found->size < 0 || found->slot_count <= found->size || found->slot_count & (found->slot_count - 1))
        return -1;
    memset(found->slots, 0xff, (size_t)found->slot_count * sizeof *found->slots);
    for (int64_t row = 0; row < texts->count; row++) {
        struct piece text = text_at(texts, row);
        if (text.length < 0)
            continue;
        const char *at = text.bytes, *stop = text.bytes + text.length;
        for (int64_t place = 0;; place++) {
            const char *part = at;
            if (place < expected_count && is_part(found, expected[place], by, texts->bytes, at, stop)) {
                at += found->length[expected[place]];
            } else {
                while (!ends_part(by, at, stop) && (unsigned char)*at != by->last)
                    at++;
                at += at < stop && (unsigned char)*at == by->last;
                int64_t number = number_of(found, texts->bytes, part, (int32_t)(at - part));
                if (number < 0)
                    return found->size + 1;
                if (place < EXPECTED) {
                    expected[place] = number;
                    expected_count = place < expected_count ? expected_count : place + 1;
                }
            }
            if (!ends_part(by, at, stop)) { /* behind a `last` byte */
                const char *next = memchr(at, (int)by->divider, (size_t)(stop - at));
                at = next ? next : stop;
            }
            if (at == stop || (unsigned char)*at == by->end)
                break;
            at++;
        }
    }
    return found->count;
}
