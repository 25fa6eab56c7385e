/* Transcripts as they are spliced, and places on them. */
#ifndef SPLICED_H
#define SPLICED_H

#include "exons.h"

struct spliced {
    struct exons exons;
    const int64_t *exon_cdna; /* exon_count: cDNA position of the exon's first transcribed base */
    const int64_t *length; /* transcript_count: bases of the exons */
    const int64_t *coding_first; /* transcript_count: cDNA positions, 0 where nothing is coding */
    const int64_t *coding_last;
    const int64_t *pad; /* bases of the first codon that an incomplete start lacks, -1: frame not known */
};

/* A place on its transcript. */
struct cdna_place {
    int inside;
    int64_t base; /* in the spliced transcript, 1-based; in an intron, of the nearest exonic base */
    int64_t offset; /* 0 in an exon, else the signed distance from that base along the transcript */
    int64_t exon;
};

static inline int64_t transcript_start(const struct spliced *model, int64_t transcript) {
    return model->exons.start[model->exons.first[transcript]];
}

static inline int64_t transcript_end(const struct spliced *model, int64_t transcript) {
    return model->exons.end[model->exons.first[transcript + 1] - 1];
}

static inline struct cdna_place to_cdna(const struct spliced *model, int64_t transcript, int64_t place) {
    struct cdna_place at = {0, 0, 0, model->exons.first[transcript]};
    if (place < transcript_start(model, transcript) || place > transcript_end(model, transcript))
        return at;
    int forward = model->exons.forward[transcript];
    int64_t left = exon_before(&model->exons, transcript, place);
    int64_t past_left = place - model->exons.end[left];
    at.inside = 1;
    at.exon = left;
    if (past_left <= 0) {
        at.base = model->exon_cdna[left] + (forward ? place - model->exons.start[left] : -past_left);
        return at;
    }
    int64_t right = left + 1; /* there is one: the place is not behind the last exon */
    int64_t to_right = model->exons.start[right] - place;
    /* the middle base of an intron counts from the exon before it: HGVS's rule, and VEP's */
    int from_left = forward ? past_left <= to_right : past_left < to_right;
    int64_t exon = from_left ? left : right;
    at.base = model->exon_cdna[exon];
    if (from_left == forward)
        at.base += model->exons.end[exon] - model->exons.start[exon];
    int64_t distance = from_left ? past_left : -to_right;
    at.offset = forward ? distance : -distance;
    return at;
}

/* The place on the line of a base of the transcript, looked for from an exon near it; 0 for none. */
static inline int64_t to_line(const struct spliced *model, int64_t transcript, int64_t base, int64_t exon) {
    int64_t first = model->exons.first[transcript], last = model->exons.first[transcript + 1] - 1;
    int64_t step = model->exons.forward[transcript] ? 1 : -1;
    for (;;) {
        int64_t into = base - model->exon_cdna[exon];
        int64_t length = model->exons.end[exon] - model->exons.start[exon] + 1;
        if (into >= 0 && into < length)
            return step > 0 ? model->exons.start[exon] + into : model->exons.end[exon] - into;
        exon += into < 0 ? -step : step;
        if (exon < first || exon > last)
            return 0;
    }
}

#endif
