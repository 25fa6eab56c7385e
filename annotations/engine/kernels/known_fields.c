/* What is written of known variants into records: ID, and fields of INFO. */
#include "text.h"

/* Texts that are written one behind the other: where each starts, and its length. */
struct texts_out {
    struct text text;
    int64_t *at;
    int32_t *length; /* -1 for a null */
};

static int is_text(struct piece piece, char only) { return piece.length == 1 && *piece.bytes == only; }

/* Whether one of the ids, which are divided by semicolons, is this one. */
static int has_id(struct piece ids, struct piece wanted) {
    for (int64_t at = 0; at <= ids.length;) {
        const char *end = memchr(ids.bytes + at, ';', (size_t)(ids.length - at));
        int64_t length = end ? end - ids.bytes - at : ids.length - at;
        if (length == wanted.length && !memcmp(ids.bytes + at, wanted.bytes, (size_t)length))
            return 1;
        at += length + 1;
    }
    return 0;
}

/* Put those of the ids behind the `*count` ones from `start` on that are not among them. */
static void put_new_ids(struct text *out, int64_t start, int64_t *count, struct piece ids) {
    for (int64_t at = 0; at <= ids.length;) {
        const char *end = memchr(ids.bytes + at, ';', (size_t)(ids.length - at));
        struct piece one = {ids.bytes + at, end ? end - ids.bytes - at : ids.length - at};
        at += one.length + 1;
        if (*count && fits(out) && has_id((struct piece){out->bytes + start, out->used - start}, one))
            continue;
        if ((*count)++)
            put_char(out, ';');
        put_piece(out, one);
    }
}

/* The ids of each record: its own, then those found for its alleles that are not among them, each once.
 *
 * `own` is a text for each record, '.' for none; `found` (null for none) is of record `of[n]`, which ascends.
 * Records of which nothing is found keep their own as it is. Returns how many records have any found, or -1
 * where numbers are out of range or order.
 */
int64_t merge_ids(const struct texts *own, const struct texts *found, const int32_t *of,
                  struct texts_out *out) {
    int64_t number = 0, known = 0;
    out->text.used = 0;
    for (int64_t record = 0; record < own->count; record++) {
        struct piece mine = text_at(own, record);
        int64_t start = out->text.used, count = 0;
        int any = 0;
        for (; number < found->count && of[number] == record; number++) {
            struct piece ids = text_at(found, number);
            if (ids.length < 0)
                continue;
            if (!any && !is_text(mine, '.') && mine.length >= 0)
                put_new_ids(&out->text, start, &count, mine);
            any = 1;
            put_new_ids(&out->text, start, &count, ids);
        }
        if (!any)
            put_piece(&out->text, mine);
        if (out->text.used - start > INT32_MAX)
            return -1;
        out->at[record] = start;
        out->length[record] = mine.length < 0 && !any ? -1 : (int32_t)(out->text.used - start);
        known += any;
    }
    return number == found->count ? known : -1;
}

/* A field of INFO and its values, and the next field. */
struct field {
    const struct field *next;
    const struct texts *name; /* one text */
    const struct texts *values; /* for a flag, any text where it is set */
    const int32_t *value_of; /* for each allele the number of its value, -1 for none */
    int64_t is_flag;
    int64_t divides; /* whether commas in a value are to be told from those between alleles */
};

/* The alleles of records, in their order. */
struct alleles_of {
    int64_t count;
    const int32_t *record;
};

static void put_value(struct text *out, struct piece value, int64_t divides) {
    for (int64_t at = 0; at < value.length;) {
        const char *comma = divides ? memchr(value.bytes + at, ',', (size_t)(value.length - at)) : NULL;
        int64_t length = comma ? comma - value.bytes - at : value.length - at;
        put(out, value.bytes + at, length);
        if (comma)
            put_char(out, '&');
        at += length + 1;
    }
}

static void put_field(struct text *out, int64_t start, const struct field *field, int64_t first, int64_t last) {
    int any = 0;
    for (int64_t allele = first; allele < last && !any; allele++)
        any = text_at(field->values, field->value_of[allele]).length >= 0;
    if (!any)
        return;
    if (out->used > start)
        put_char(out, ';');
    put_piece(out, text_at(field->name, 0));
    if (field->is_flag)
        return;
    for (int64_t allele = first; allele < last; allele++) {
        struct piece value = text_at(field->values, field->value_of[allele]);
        put_char(out, allele == first ? '=' : ',');
        put_value(out, value.length < 0 ? (struct piece){".", 1} : value, field->divides);
    }
}

/* What is added to the INFO of each record: its known fields, `name=value`, then its text of `tails`, all divided
 * by semicolons; null for nothing.
 *
 * Several alleles of a record have their values divided by commas, with '.' for none. A flag is set where one
 * of them has it. Returns how many records get something, or -1 where numbers are out of range or order.
 */
int64_t write_additions(const struct field *fields, const struct alleles_of *alleles, const struct texts *tails,
                        int64_t records, struct texts_out *out) {
    int64_t allele = 0, added = 0;
    out->text.used = 0;
    for (int64_t record = 0; record < records; record++) {
        int64_t start = out->text.used, first = allele;
        while (allele < alleles->count && alleles->record[allele] == record)
            allele++;
        for (const struct field *field = fields; field; field = field->next)
            put_field(&out->text, start, field, first, allele);
        struct piece tail = text_at(tails, record);
        if (tail.length > 0) {
            if (out->text.used > start)
                put_char(&out->text, ';');
            put_piece(&out->text, tail);
        }
        if (out->text.used - start > INT32_MAX)
            return -1;
        out->at[record] = start;
        out->length[record] = out->text.used > start ? (int32_t)(out->text.used - start) : -1;
        added += out->text.used > start;
    }
    return allele == alleles->count ? added : -1;
}

/* Whether one of the fields in a text of INFO, `name=value` or `name`, divided by semicolons, has one of the
 * names. Returns the number of the first such text, or that of all of them for none. */
int64_t find_named(const struct texts *infos, const struct texts *names) {
    unsigned char starts_one[256] = {0};
    for (int64_t name = 0; name < names->count; name++) {
        struct piece text = text_at(names, name);
        if (text.length > 0)
            starts_one[(unsigned char)*text.bytes] = 1;
    }
    for (int64_t number = 0; number < infos->count; number++) {
        struct piece info = text_at(infos, number);
        for (int64_t at = 0; at < info.length;) {
            const char *field = info.bytes + at;
            int64_t left = info.length - at;
            for (int64_t name = 0; starts_one[(unsigned char)*field] && name < names->count; name++) {
                struct piece text = text_at(names, name);
                if (text.length > 0 && text.length <= left && !memcmp(text.bytes, field, (size_t)text.length) &&
                    (text.length == left || field[text.length] == '=' || field[text.length] == ';'))
                    return number;
            }
            const char *end = memchr(field, ';', (size_t)left);
            at = end ? end - info.bytes + 1 : info.length;
        }
    }
    return infos->count;
}
