/* Columns of texts, one behind the other. */
#include "text.h"

/* Put the texts one behind the other, as Arrow lays them out: the n-th are the bytes from offsets[n] up to
 * offsets[n + 1]. A null takes no room. Returns how many are null. */
int64_t pack_texts(const struct texts *texts, struct text *out, int64_t *offsets) {
    int64_t nulls = 0;
    out->used = 0;
    for (int64_t number = 0; number < texts->count; number++) {
        struct piece text = text_at(texts, number);
        offsets[number] = out->used;
        nulls += text.length < 0;
        put_piece(out, text);
    }
    offsets[texts->count] = out->used;
    return nulls;
}
