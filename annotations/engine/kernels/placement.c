/* Where HGVS places an allele: trimmed to what changes, shifted 3' along the transcript, and named.
 *
 * The shift runs along the genome, so it may pass from an exon into an intron or back, as VEP's does; but it
 * never jumps an intron, from the last base of one exon to the first of the next: that is HGVS's exception to
 * its 3' rule.
 */
#include "placement.h"

/* Drop the bases that REF and ALT share at their ends; returns how many they were at the start. */
static int64_t trim(struct piece ref, struct piece alt, struct allele_bases *deleted,
                    struct allele_bases *inserted) {
    int64_t shortest = ref.length < alt.length ? ref.length : alt.length, head = 0, tail = 0;
    while (tail < shortest && ref.bytes[ref.length - 1 - tail] == alt.bytes[alt.length - 1 - tail])
        tail++;
    while (head < shortest - tail && ref.bytes[head] == alt.bytes[head])
        head++;
    *deleted = (struct allele_bases){ref.bytes + head, ref.length - head - tail, 0, 0};
    *inserted = (struct allele_bases){alt.bytes + head, alt.length - head - tail, 0, 0};
    return head;
}

/* Whether the genome has these bases from a place on; LACKS_BASES. */
static int genome_has(struct genome_blocks *genome, int64_t place, const struct allele_bases *bases) {
    for (int64_t at = 0; at < bases->length; at++) {
        int letter = letter_at(genome, place + at);
        if (letter == LACKS_BASES)
            return LACKS_BASES;
        if (letter != allele_base(bases, at))
            return 0;
    }
    return 1;
}

/* For how many bases, `most` at most, the genome goes on repeating `unit` from a place on, in steps of 1 or
 * -1; LACKS_BASES. */
static int64_t repeats(struct genome_blocks *genome, int64_t place, int64_t step, int64_t most,
                       const struct allele_bases *unit) {
    int64_t in_unit = step > 0 ? 0 : unit->length - 1;
    for (int64_t count = 0; count < most; count++) {
        int letter = letter_at(genome, place + step * count);
        if (letter == LACKS_BASES)
            return LACKS_BASES;
        if (letter != unit->letters[in_unit])
            return count;
        in_unit += step;
        in_unit = in_unit < 0 ? unit->length - 1 : in_unit == unit->length ? 0 : in_unit;
    }
    return most;
}

/* `step` bases along the genome, the repeated bases start elsewhere in their unit. */
static void turn(struct allele_bases *unit, int64_t step) {
    if (unit->length)
        unit->turn = (step % unit->length + unit->length) % unit->length;
}

static int is_inversion(const struct allele_bases *deleted, const struct allele_bases *inserted) {
    if (deleted->length != inserted->length)
        return 0;
    for (int64_t at = 0; at < deleted->length; at++)
        if (allele_base(inserted, at) != complement(allele_base(deleted, deleted->length - 1 - at)))
            return 0;
    return 1;
}

static enum change_kind kind_of(const struct allele_bases *deleted, const struct allele_bases *inserted) {
    if (!inserted->length)
        return DELETION;
    if (!deleted->length)
        return INSERTION;
    if (deleted->length == 1 && inserted->length == 1)
        return SUBSTITUTION;
    return is_inversion(deleted, inserted) ? INVERSION : DELINS;
}

int place_allele(const struct spliced *model, struct genome_blocks *genome, int64_t transcript, int64_t place,
                 struct piece ref, struct piece alt, struct placement *out) {
    int64_t first = transcript_start(model, transcript), last = transcript_end(model, transcript);
    int forward = model->exons.forward[transcript];
    int found = genome_has(genome, place, &(struct allele_bases){ref.bytes, ref.length, 0, 0});
    if (found != 1)
        return found;
    struct allele_bases deleted, inserted;
    int64_t start = place + trim(ref, alt, &deleted, &inserted);
    int64_t end = start + deleted.length - 1; /* start - 1 where nothing is deleted */

    /* 1. shift it, as far as the bases that change, or those around an insertion, are on the transcript */
    int64_t changed_start = deleted.length ? start : start - 1, changed_end = deleted.length ? end : start;
    int64_t room = forward ? last - changed_end : changed_start - first;
    if (room < 0)
        return 0;
    int64_t step = 0;
    if (!deleted.length || !inserted.length) {
        int64_t shift = repeats(genome, forward ? end + 1 : start - 1, forward ? 1 : -1, room,
                                deleted.length ? &deleted : &inserted);
        if (shift == LACKS_BASES)
            return LACKS_BASES;
        step = forward ? shift : -shift;
        start += step;
        end += step;
        turn(&deleted, step);
        turn(&inserted, step);
    }
    if (changed_start + step < first || changed_end + step > last)
        return 0;

    /* 2. name it */
    *out = (struct placement){kind_of(&deleted, &inserted), start, end, deleted, inserted};
    if (out->kind == INSERTION) {
        /* the bases upstream may be what is inserted once more */
        int64_t copy = forward ? start - inserted.length : start;
        out->start = start - 1;
        out->end = start;
        if (copy >= first && copy + inserted.length - 1 <= last) {
            found = genome_has(genome, copy, &inserted);
            if (found == LACKS_BASES)
                return LACKS_BASES;
            if (found) {
                out->kind = DUPLICATION;
                out->start = copy;
                out->end = copy + inserted.length - 1;
            }
        }
    }
    out->deleted.reversed = out->inserted.reversed = !forward;
    return 1;
}
