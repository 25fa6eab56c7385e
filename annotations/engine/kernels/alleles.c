/* Records of one plain ALT taken apart: where the allele lies, and whether REF is the reference's.
 *
 * They are single bases, and insertions and deletions of which one allele is the other's first base. All other
 * records are for Python.
 */
#include "lines.h"

enum kind { REPLACEMENT, INSERTION, DELETION };
enum reason { NONE, BEYOND_CONTIG = 2, REF_MISMATCH = 3 };

/* Stretches of the reference in upper case, in order, on the line of contigs; 0-based, half-open. */
struct windows {
    int64_t count;
    const int64_t *start;
    const int64_t *end;
    const int64_t *at; /* of each in `bases` */
    const uint8_t *bases;
    int64_t size;
};

/* Where the contig of each record starts and ends on the line, and the record on its contig. */
struct places {
    const int64_t *offset;
    const int64_t *limit;
    const int32_t *pos;
};

/* What becomes of each record; rows that are not `easy` are left as they are. */
struct taken {
    uint8_t *easy;
    int32_t *start; /* 1-based, on the contig; an insertion stands between start and end */
    int32_t *end;
    uint8_t *kind;
    int32_t *norm_pos; /* left-aligned */
    uint8_t *reason;
    uint8_t *for_csq;
    int64_t *name_at; /* where these stand in `texts`, and how long they are: VEP's name of the allele, */
    int32_t *name_length;
    int64_t *ref_at; /* and REF and ALT left-aligned */
    int32_t *ref_length;
    int64_t *alt_at;
    int32_t *alt_length;
    struct text texts;
    int64_t compared, mismatched, unknown; /* records by how REF compared */
};

static char upper(char base) { return base >= 'a' && base <= 'z' ? (char)(base - 'a' + 'A') : base; }

static int is_plain_base(char base) { return base == 'A' || base == 'C' || base == 'G' || base == 'T'; }

static int is_plain(struct piece allele) {
    for (int64_t at = 0; at < allele.length; at++)
        if (!is_plain_base(upper(allele.bytes[at])))
            return 0;
    return allele.length > 0;
}

/* The window that a place lies in, -1 for none. */
static int64_t window_of(const struct windows *windows, int64_t place) {
    int64_t low = 0, high = windows->count;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (windows->start[middle] <= place)
            low = middle + 1;
        else
            high = middle;
    }
    return low - 1 >= 0 && place < windows->end[low - 1] ? low - 1 : -1;
}

/* The base at a place of a window; 0 where the window has none. */
static char base_at(const struct windows *windows, int64_t window, int64_t place) {
    if (window < 0 || place < windows->start[window] || place >= windows->end[window])
        return 0;
    int64_t at = windows->at[window] + place - windows->start[window];
    return at >= 0 && at < windows->size ? (char)windows->bases[at] : 0;
}

struct comparison {
    int agrees, unknown, beyond;
};

/* REF may reach beyond the end of a contig that is cut out of a longer one. */
static struct comparison compare(const struct windows *windows, int64_t window, struct piece ref,
                                 int64_t place, int64_t limit) {
    struct comparison found = {1, 0, 0};
    for (int64_t at = 0; at < ref.length; at++) {
        char base = place + at < limit ? base_at(windows, window, place + at) : 0;
        if (!base) {
            found.beyond = at == 0;
            break;
        }
        found.agrees &= base == upper(ref.bytes[at]);
        found.unknown |= !is_plain_base(base);
    }
    return found;
}

/* How far an insertion or deletion can be shifted left, -1 where the windows do not reach so far.
 *
 * `longer` is the allele of more bases, `place` that of its first base. After some shifts it is the genome's
 * bases from there, and as many less of its own.
 */
static int64_t shifts(const struct windows *windows, int64_t window, struct piece longer, char shorter,
                      int64_t place, int64_t offset) {
    int64_t shifted = 0;
    for (;;) {
        char last_long = shifted < longer.length
                             ? upper(longer.bytes[longer.length - 1 - shifted])
                             : base_at(windows, window, place - shifted + longer.length - 1);
        char last_short = shifted ? base_at(windows, window, place - shifted) : shorter;
        if (last_long != last_short || place - shifted <= offset)
            return shifted;
        shifted++;
        if (!base_at(windows, window, place - shifted))
            return -1;
    }
}

static void put_upper(struct text *out, struct piece bases) {
    for (int64_t at = 0; at < bases.length; at++)
        put_char(out, upper(bases.bytes[at]));
}

/* Notes where a text stands that has been put behind `begin`. */
static void note(const struct text *out, int64_t begin, int64_t *at, int32_t *length) {
    *at = begin;
    *length = (int32_t)(out->used - begin);
}

static void put_shifted(struct text *out, const struct windows *windows, int64_t window, struct piece allele,
                        int64_t place, int64_t shifted) {
    for (int64_t at = 0; at < allele.length; at++)
        put_char(out, at < shifted ? base_at(windows, window, place - shifted + at)
                                   : upper(allele.bytes[at - shifted]));
}

/* Takes one record apart; whether it was easy. */
static int take(const struct lines *lines, const struct windows *windows, const struct places *places,
                int64_t record, struct taken *out) {
    struct piece ref = line_field(lines, record, LINE_REF), alt = line_field(lines, record, LINE_ALT);
    int64_t pos = places->pos[record], offset = places->offset[record], place = offset + pos - 1;
    int is_indel = ref.length != alt.length;
    if (pos <= 0 || offset < 0 || ref.length > INT32_MAX || alt.length > INT32_MAX ||
        (ref.length != 1 && alt.length != 1) || !is_plain(ref) || !is_plain(alt) ||
        (is_indel && upper(*ref.bytes) != upper(*alt.bytes)))
        return 0;
    int64_t window = window_of(windows, place);
    struct comparison found = compare(windows, window, ref, place, places->limit[record]);
    int differs = !found.agrees && !found.unknown;
    enum reason reason = found.beyond ? BEYOND_CONTIG : differs ? REF_MISMATCH : NONE;
    int insertion = is_indel && ref.length == 1, deletion = is_indel && !insertion;
    int shared_last = is_indel && upper(ref.bytes[ref.length - 1]) == upper(alt.bytes[alt.length - 1]);
    int64_t shifted = 0;
    if (shared_last && reason == NONE) {
        shifted = insertion ? shifts(windows, window, alt, upper(*ref.bytes), place, offset)
                            : shifts(windows, window, ref, upper(*alt.bytes), place, offset);
        if (shifted < 0)
            return 0;
    }
    int64_t last = pos + ref.length - 1;
    /* where both end alike, the last base is the shared one, not the first: the change lies one to the left */
    out->start[record] = (int32_t)((deletion ? pos + 1 : pos) - shared_last);
    out->end[record] = (int32_t)((insertion ? pos + 1 : last) - shared_last);
    out->kind[record] = insertion ? INSERTION : deletion ? DELETION : REPLACEMENT;
    out->norm_pos[record] = (int32_t)(pos - shifted);
    out->reason[record] = (uint8_t)reason;
    out->for_csq[record] = found.agrees && !found.unknown && !found.beyond;
    if (!found.beyond) {
        out->compared += !found.unknown;
        out->mismatched += differs;
        out->unknown += found.unknown;
    }
    int64_t begin = out->texts.used;
    put_shifted(&out->texts, windows, window, ref, place, shifted);
    note(&out->texts, begin, out->ref_at + record, out->ref_length + record);
    begin = out->texts.used;
    put_shifted(&out->texts, windows, window, alt, place, shifted);
    note(&out->texts, begin, out->alt_at + record, out->alt_length + record);
    begin = out->texts.used;
    if (insertion)
        put_upper(&out->texts, (struct piece){alt.bytes + 1, alt.length - 1});
    else if (deletion)
        put_char(&out->texts, '-');
    else
        put_upper(&out->texts, alt);
    note(&out->texts, begin, out->name_at + record, out->name_length + record);
    return 1;
}

/* Take apart the records from `first` up to `last`; the windows hold at least the bases of their REF.
 *
 * Returns how many of them are easy, or -1 where `last` is beyond the lines. Counts and texts are added to
 * those in `out`.
 */
int64_t take_apart_easy(const struct lines *lines, const struct windows *windows, const struct places *places,
                        int64_t first, int64_t last, struct taken *out) {
    if (first < 0 || last > lines->count)
        return -1;
    int64_t easy = 0;
    for (int64_t record = first; record < last; record++)
        easy += out->easy[record] = (uint8_t)take(lines, windows, places, record, out);
    return easy;
}
