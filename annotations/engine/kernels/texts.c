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

#define VIEW_BYTES 16
#define MOST_IN_VIEW 12

/* The texts as Arrow's string views, each of which holds its length and up to twelve bytes itself: nulls and
 * longer texts are empty. Returns 0. */
int64_t view_texts(const struct texts *texts, char *views) {
    for (int64_t number = 0; number < texts->count; number++, views += VIEW_BYTES) {
        struct piece text = text_at(texts, number);
        int32_t length = text.length < 0 || text.length > MOST_IN_VIEW ? 0 : (int32_t)text.length;
        memset(views, 0, VIEW_BYTES);
        memcpy(views, &length, sizeof length);
        memcpy(views + sizeof length, text.bytes, (size_t)length);
    }
    return 0;
}
