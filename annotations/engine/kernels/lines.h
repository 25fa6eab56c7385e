/* Where the fields of a block's record lines start (lines.c: split_records). */
#ifndef LINES_H
#define LINES_H

#include "text.h"

#define LINE_COLUMNS 10

enum { LINE_POS = 1, LINE_ID = 2, LINE_REF = 3, LINE_ALT = 4, LINE_INFO = 7, LINE_REST = 8, LINE_END = 9 };

struct lines {
    const char *block;
    int64_t size;
    int64_t count;
    const int64_t *starts; /* count x LINE_COLUMNS */
};

/* One of the fields CHROM to INFO; every field ends one byte before the next starts. */
static inline struct piece line_field(const struct lines *lines, int64_t record, int number) {
    const int64_t *row = lines->starts + LINE_COLUMNS * record;
    if (row[number] < 0 || row[number] >= row[number + 1] || row[number + 1] > lines->size)
        return (struct piece){"", -1};
    return (struct piece){lines->block + row[number], row[number + 1] - 1 - row[number]};
}

#endif
