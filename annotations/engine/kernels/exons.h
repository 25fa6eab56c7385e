/* The exons of transcripts, as columns.
 *
 * Places are 1-based and inclusive, on the line of the contigs. Exons of transcript t are rows first[t] to
 * first[t + 1] of the exons' columns, in genomic order; every transcript has at least one.
 */
#ifndef EXONS_H
#define EXONS_H

#include <stdint.h>

struct exons {
    int64_t transcript_count;
    int64_t exon_count;
    const uint8_t *forward; /* transcript_count: whether it reads along the line */
    const int64_t *first; /* transcript_count + 1 */
    const int64_t *start; /* exon_count */
    const int64_t *end;
};

/* The last exon of a transcript that starts at or before a place, or its first exon. */
static inline int64_t exon_before(const struct exons *exons, int64_t transcript, int64_t place) {
    int64_t low = exons->first[transcript], high = exons->first[transcript + 1];
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (exons->start[middle] <= place)
            low = middle;
        else
            high = middle;
    }
    return low;
}

#endif
