/* Text written into a buffer of fixed size.
 *
 * As with snprintf, what does not fit is counted all the same: the caller sees from `used` how much room the
 * whole takes, and asks again with so much.
 */
#ifndef TEXT_H
#define TEXT_H

#include <stdint.h>
#include <string.h>

struct text {
    char *bytes;
    int64_t size;
    int64_t used;
};

static inline int fits(const struct text *text) { return text->used <= text->size; }

static inline void put(struct text *text, const char *bytes, int64_t count) {
    if (count <= 0)
        return;
    if (text->used <= text->size && count <= text->size - text->used)
        memcpy(text->bytes + text->used, bytes, (size_t)count);
    text->used += count;
}

static inline void put_char(struct text *text, char byte) { put(text, &byte, 1); }

#define put_literal(text, literal) put(text, literal, sizeof(literal) - 1)

static inline void put_number(struct text *text, int64_t number) {
    char digits[20];
    int at = sizeof digits;
    uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    do {
        digits[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    if (number < 0)
        put_char(text, '-');
    put(text, digits + at, (int64_t)sizeof digits - at);
}

/* A column of texts: the n-th are the bytes from at[n] of length[n]; a length of -1 is a null. */
struct texts {
    const char *bytes;
    int64_t size; /* of bytes */
    int64_t count;
    const int64_t *at;
    const int32_t *length;
};

struct piece {
    const char *bytes;
    int64_t length; /* -1 for a null */
};

/* The n-th text; a null, too, for what lies outside of the bytes. */
static inline struct piece text_at(const struct texts *texts, int64_t number) {
    if (number < 0 || number >= texts->count || texts->length[number] < 0 || texts->at[number] < 0 ||
        texts->at[number] > texts->size - texts->length[number])
        return (struct piece){"", -1};
    return (struct piece){texts->bytes + texts->at[number], texts->length[number]};
}

static inline void put_piece(struct text *text, struct piece piece) { put(text, piece.bytes, piece.length); }

#endif
