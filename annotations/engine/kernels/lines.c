/* Record lines: where their fields stand, and the same lines with annotations put in. */
#include "lines.h"

#define FIXED 8 /* CHROM to INFO */

/* Where the fields of each line of a block start: a row of ten for each record.
 *
 * The first eight are of CHROM to INFO; then FORMAT and all behind it, which starts behind the line's end
 * where there is none; then the newline that ends the line. Every field ends one byte before the next starts.
 * Returns the number of records, or -1 where there are not `records` lines of at least eight fields.
 */
int64_t split_records(const char *block, int64_t size, int64_t records, int64_t *starts) {
    int64_t at = 0;
    for (int64_t record = 0; record < records; record++) {
        int64_t *row = starts + LINE_COLUMNS * record;
        const char *newline = at < size ? memchr(block + at, '\n', (size_t)(size - at)) : NULL;
        if (!newline)
            return -1;
        row[0] = at;
        row[LINE_END] = newline - block;
        for (int field = 1; field <= FIXED; field++) {
            const char *tab = memchr(block + at, '\t', (size_t)(row[LINE_END] - at));
            if (!tab && field < FIXED)
                return -1;
            at = tab ? tab - block + 1 : row[LINE_END] + 1;
            row[field] = at;
        }
        at = row[LINE_END] + 1;
    }
    return at == size ? records : -1;
}

/* POS of each record; returns 0, or -1 where one is no number of up to 2,147,483,647. */
int64_t read_positions(const struct lines *lines, int32_t *positions) {
    for (int64_t record = 0; record < lines->count; record++) {
        struct piece text = line_field(lines, record, LINE_POS);
        int64_t number = 0;
        if (text.length < 1)
            return -1;
        for (int64_t at = 0; at < text.length; at++) {
            if (text.bytes[at] < '0' || text.bytes[at] > '9')
                return -1;
            number = 10 * number + text.bytes[at] - '0';
            if (number > INT32_MAX)
                return -1;
        }
        positions[record] = (int32_t)number;
    }
    return 0;
}

/* What is put into lines. A column that is not there is NULL; a null in it leaves the field as it is. */
struct edits {
    const struct texts *ids; /* in the place of ID */
    const struct texts *infos; /* in the place of INFO */
    const struct texts *additions; /* behind INFO */
    const struct texts *rests; /* in the place of FORMAT and all behind it */
    const struct texts *csq; /* texts of alleles */
    int64_t allele_count;
    const int32_t *allele_record; /* allele_count, ascending: the record of each allele */
    const int32_t *allele_csq; /* allele_count: number of its text in `csq`, -1 for none */
};

static struct piece column_or(const struct texts *column, int64_t number, struct piece own) {
    struct piece found = column ? text_at(column, number) : (struct piece){"", -1};
    return found.length >= 0 ? found : own;
}

/* `CSQ=` and the texts of a record's alleles, from allele *at on; whether there are any. */
static int put_csq_field(struct text *out, const struct edits *edits, int64_t record, int64_t *at,
                         const char *divider) {
    int any = 0;
    for (; *at < edits->allele_count && edits->allele_record[*at] == record; ++*at) {
        struct piece text = text_at(edits->csq, edits->allele_csq[*at]);
        if (text.length < 0)
            continue;
        if (any) {
            put_char(out, ',');
        } else {
            put(out, divider, (int64_t)strlen(divider));
            put_literal(out, "CSQ=");
        }
        put_piece(out, text);
        any = 1;
    }
    return any;
}

static void put_info(struct text *out, struct piece own, const struct edits *edits, int64_t record,
                     int64_t *allele) {
    struct piece added = edits->additions ? text_at(edits->additions, record) : (struct piece){"", -1};
    int is_empty = own.length == 1 && *own.bytes == '.';
    if (added.length >= 0) {
        if (!is_empty) {
            put_piece(out, own);
            put_char(out, ';');
        }
        put_piece(out, added);
        put_csq_field(out, edits, record, allele, ";");
        return;
    }
    if (!is_empty)
        put_piece(out, own);
    if (!put_csq_field(out, edits, record, allele, is_empty ? "" : ";") && is_empty)
        put_piece(out, own);
}

/* Write the lines with annotations.
 *
 * `line_ends` gets where each line ends in `out`, with its newline. Returns 0, or -1 where numbers are out of
 * range or order.
 */
int64_t write_lines(const struct lines *lines, const struct edits *edits, struct text *out,
                    int64_t *line_ends) {
    const char *block = lines->block;
    int64_t allele = 0;
    out->used = 0;
    for (int64_t record = 0; record < lines->count; record++) {
        const int64_t *row = lines->starts + LINE_COLUMNS * record;
        struct piece info = line_field(lines, record, LINE_INFO);
        if (row[0] < 0 || row[0] > row[LINE_ID] || row[LINE_ID + 1] > row[LINE_INFO] || info.length < 0 ||
            row[LINE_REST] > row[LINE_END] + 1 || row[LINE_END] >= lines->size)
            return -1;
        put(out, block + row[0], row[LINE_ID] - row[0]);
        put_piece(out, column_or(edits->ids, record, line_field(lines, record, LINE_ID)));
        put(out, block + row[LINE_ID + 1] - 1, row[LINE_INFO] - row[LINE_ID + 1] + 1);
        put_info(out, column_or(edits->infos, record, info), edits, record, &allele);
        if (row[LINE_REST] <= row[LINE_END]) {
            struct piece own = {block + row[LINE_REST], row[LINE_END] - row[LINE_REST]};
            put_char(out, '\t');
            put_piece(out, column_or(edits->rests, record, own));
        }
        put_char(out, '\n');
        line_ends[record] = out->used;
    }
    return allele == edits->allele_count ? 0 : -1;
}
