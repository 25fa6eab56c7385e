/* What an edit of a transcript does to its protein, and how HGVS writes that.
 *
 * The rules are those of https://hgvs-nomenclature.org/stable/recommendations/protein/.
 */
#include "protein.h"

#define NOTHING (-1)

/* --- the protein as it is */

/* The letter of the reading frame, of whose first codon some may be lacking. */
static char frame_letter(const struct coding_transcript *transcript, int64_t at) {
    return at < transcript->pad ? 'N' : transcript->cdna[transcript->start + at - transcript->pad];
}

static int64_t protein_length(const struct coding_transcript *transcript) {
    int64_t length = (transcript->pad + transcript->end - transcript->start) / 3;
    return length || !transcript->has_initiator ? length : 1;
}

static uint8_t protein_residue(const struct coding_transcript *transcript, int64_t at) {
    if (at == 0 && transcript->has_initiator)
        return transcript->code->methionine; /* ATT and its like are read as Met there */
    char codon[3];
    for (int base = 0; base < 3; base++)
        codon[base] = frame_letter(transcript, 3 * at + base);
    return residue_of(transcript->code, codon);
}

void read_protein(struct coding_transcript *transcript) {
    transcript->has_initiator = transcript->pad == 0 && transcript->length - transcript->start >= 3 &&
                                initiates(transcript->code, transcript->cdna + transcript->start);
    transcript->reads_to_its_end = 1;
    for (int64_t at = protein_length(transcript) - 2; at >= 0 && transcript->reads_to_its_end; at--)
        transcript->reads_to_its_end = protein_residue(transcript, at) != transcript->code->stop;
}

/* --- the codons that an edit touches */

struct consequence {
    const struct coding_transcript *transcript;
    const struct cdna_edit *edit;
    int64_t first; /* codon */
    int64_t past_codons; /* as many end with the edit */
    int64_t lead, trail; /* bases of these codons that stand before and behind what is edited */
    int is_frameshift;
    int crosses_end;
    int touches_initiator;
    int loses_initiator;
};

/* The letters before the edit, from the first codon on. */
static char letter_before(const struct consequence *edited, int64_t at) {
    return frame_letter(edited->transcript, 3 * edited->first + at);
}

/* The letters after it, likewise, on to the transcript's end. */
static char letter_after(const struct consequence *edited, int64_t at) {
    if (at < edited->lead)
        return letter_before(edited, at);
    at -= edited->lead;
    if (at < edited->edit->inserted.length)
        return allele_base(&edited->edit->inserted, at);
    return edited->transcript->cdna[edited->edit->end + at - edited->edit->inserted.length];
}

static int64_t letters_to_end(const struct consequence *edited) {
    return edited->lead + edited->edit->inserted.length + edited->transcript->length - edited->edit->end;
}

static uint8_t residue_after(const struct consequence *edited, int64_t at) {
    if (at == 0 && edited->touches_initiator)
        return edited->transcript->code->methionine;
    char codon[3];
    for (int base = 0; base < 3; base++)
        codon[base] = letter_after(edited, 3 * at + base);
    return residue_of(edited->transcript->code, codon);
}

static struct consequence consequence_of(const struct coding_transcript *transcript,
                                         const struct cdna_edit *edit) {
    int64_t deleted = edit->end - edit->start, upstream = transcript->pad + edit->start - transcript->start;
    int64_t past = upstream + deleted;
    struct consequence edited = {.transcript = transcript, .edit = edit};
    edited.first = upstream / 3;
    edited.past_codons = (past + 2) / 3;
    edited.lead = upstream % 3;
    edited.is_frameshift = (edit->inserted.length - deleted) % 3 != 0;
    edited.crosses_end = edit->end > transcript->end;
    int64_t left = edited.crosses_end ? 0 : transcript->end - edit->end;
    edited.trail = 3 * edited.past_codons - past;
    if (edited.trail > left)
        edited.trail = left;
    edited.touches_initiator = edited.first == 0 && transcript->has_initiator;
    if (edited.touches_initiator) {
        char codon[3] = {'N', 'N', 'N'};
        for (int base = 0; base < 3 && base < letters_to_end(&edited); base++)
            codon[base] = letter_after(&edited, base);
        edited.loses_initiator = !initiates(transcript->code, codon);
    }
    return edited;
}

/* Residues of the codons touched, before or after the edit; `from` and `count` say which of them. */
struct touched {
    const struct consequence *edited;
    int is_after;
    int64_t letters;
    int64_t from, count;
};

static struct touched touched_codons(const struct consequence *edited, int is_after) {
    int64_t changed =
        is_after ? edited->edit->inserted.length : edited->edit->end - edited->edit->start;
    struct touched found = {edited, is_after, edited->lead + changed + edited->trail, 0, 0};
    found.count = (found.letters + 2) / 3;
    if (!found.count && edited->touches_initiator && !edited->loses_initiator)
        found.count = 1;
    return found;
}

static char touched_letter(const struct touched *touched, int64_t at) {
    return touched->is_after ? letter_after(touched->edited, at) : letter_before(touched->edited, at);
}

/* One of the residues; unknown for a part of a codon. */
static uint8_t touched_residue(const struct touched *touched, int64_t at) {
    const struct consequence *edited = touched->edited;
    const struct genetic_code *code = edited->transcript->code;
    at += touched->from;
    if (at == 0 && edited->touches_initiator && !edited->loses_initiator)
        return code->methionine;
    if (3 * at + 3 > touched->letters)
        return code->unknown;
    char codon[3];
    for (int base = 0; base < 3; base++)
        codon[base] = touched_letter(touched, 3 * at + base);
    return residue_of(code, codon);
}

/* Where a residue stands among them, NOTHING where it does not. */
static int64_t find_touched(const struct touched *touched, uint8_t residue) {
    for (int64_t at = 0; at < touched->count; at++)
        if (touched_residue(touched, at) == residue)
            return at;
    return NOTHING;
}

static int same_touched(const struct touched *one, const struct touched *other) {
    if (one->count != other->count)
        return 0;
    for (int64_t at = 0; at < one->count; at++)
        if (touched_residue(one, at) != touched_residue(other, at))
            return 0;
    return 1;
}

/* --- what is written */

/* A description on its way: dropped if it names a residue that is not known, or that there is not. */
struct writing {
    const struct coding_transcript *transcript;
    struct text *text;
    int is_dropped;
};

static void name_residue(struct writing *out, uint8_t residue) {
    out->is_dropped |= residue == out->transcript->code->unknown;
    put_name(out->text, out->transcript->code, residue);
}

static void name_numbered(struct writing *out, int64_t at) {
    if (at < 0 || at >= protein_length(out->transcript)) {
        out->is_dropped = 1;
        return;
    }
    name_residue(out, protein_residue(out->transcript, at));
    put_number(out->text, at + 1);
}

static void name_span(struct writing *out, int64_t first, int64_t length) {
    name_numbered(out, first);
    if (length == 1)
        return;
    put_char(out->text, '_');
    name_numbered(out, first + length - 1);
}

static void describe_deletion(struct writing *out, int64_t first, int64_t length) {
    int64_t residues = protein_length(out->transcript);
    while (first + length < residues &&
           protein_residue(out->transcript, first) == protein_residue(out->transcript, first + length))
        first++;
    name_span(out, first, length);
    put_literal(out->text, "del");
}

/* Residues that come to stand before residue number `at`, counted from 0. */
static void describe_insertion(struct writing *out, int64_t at, const struct touched *inserted) {
    const struct coding_transcript *transcript = out->transcript;
    int64_t residues = protein_length(transcript), count = inserted->count, turned = 0;
    int has_stop = find_touched(inserted, transcript->code->stop) != NOTHING;
    while (!has_stop && at < residues &&
           protein_residue(transcript, at) == touched_residue(inserted, turned % count)) {
        turned++;
        at++;
    }
    int is_copy = at >= count;
    for (int64_t before = 0; is_copy && before < count; before++)
        is_copy = protein_residue(transcript, at - count + before) ==
                  touched_residue(inserted, (turned + before) % count);
    if (is_copy) {
        name_span(out, at - count, count);
        put_literal(out->text, "dup");
        return;
    }
    name_numbered(out, at - 1);
    put_char(out->text, '_');
    name_numbered(out, at);
    put_literal(out->text, "ins");
    for (int64_t residue = 0; residue < count; residue++)
        name_residue(out, touched_residue(inserted, (turned + residue) % count));
}

static void describe_exchange(struct writing *out, int64_t first, const struct touched *before,
                              const struct touched *after) {
    if (!after->count) {
        describe_deletion(out, first, before->count);
        return;
    }
    if (!before->count) {
        describe_insertion(out, first, after);
        return;
    }
    name_span(out, first, before->count);
    if (before->count > 1 || after->count > 1)
        put_literal(out->text, "delins");
    for (int64_t residue = 0; residue < after->count; residue++)
        name_residue(out, touched_residue(after, residue));
}

/* Whole residues exchanged, lost or gained; the stop codon stays where it is, or a new one comes in. */
static void describe_in_frame(struct writing *out, const struct consequence *edited, struct touched before,
                              struct touched after) {
    const struct genetic_code *code = out->transcript->code;
    int64_t first = edited->first, stop = find_touched(&after, code->stop);
    if (stop != NOTHING)
        after.count = stop + 1;
    if (same_touched(&before, &after)) {
        if (before.count < 2)
            name_numbered(out, first);
        put_char(out->text, '=');
        return;
    }
    while (before.count && after.count && touched_residue(&before, 0) == touched_residue(&after, 0)) {
        before.from++, before.count--;
        after.from++, after.count--;
        first++;
    }
    while (before.count && after.count &&
           touched_residue(&before, before.count - 1) == touched_residue(&after, after.count - 1)) {
        before.count--;
        after.count--;
    }
    if (first >= protein_length(out->transcript)) {
        out->is_dropped = 1; /* an incomplete coding sequence ends here: what follows is not known */
    } else if (after.count == 1 && touched_residue(&after, 0) == code->stop) {
        name_numbered(out, first);
        if (protein_residue(out->transcript, first) == code->stop)
            put_char(out->text, '=');
        else
            put_name(out->text, code, code->stop);
    } else {
        describe_exchange(out, first, &before, &after);
    }
}

/* A frameshift, or a change of the stop codon: what follows matters up to the new stop. */
static void describe_reading_on(struct writing *out, const struct consequence *edited) {
    const struct coding_transcript *transcript = out->transcript;
    const struct genetic_code *code = transcript->code;
    struct text *text = out->text;
    int64_t codons = letters_to_end(edited) / 3, residues = protein_length(transcript), same = 0, end = 0;
    int ends = 0; /* with a stop */
    for (; end < codons && !ends; end++)
        ends = residue_after(edited, end) == code->stop;
    int64_t left = residues - edited->first;
    while (same < end && same < left &&
           residue_after(edited, same) == protein_residue(transcript, edited->first + same))
        same++;
    if (same == end && same == left && ends) {
        if (edited->past_codons >= residues) {
            put_literal(text, "Ter");
            put_number(text, residues);
        }
        put_char(text, '=');
        return;
    }
    out->is_dropped = same == end || same >= left;
    for (int64_t at = same; at < end && !out->is_dropped; at++)
        out->is_dropped = residue_after(edited, at) == code->unknown;
    if (out->is_dropped)
        return;
    int64_t number = edited->first + same, to_stop = end - 1 - same;
    uint8_t old = protein_residue(transcript, number), new = residue_after(edited, same);
    name_numbered(out, number);
    if (old != code->stop && ends && to_stop == 0) {
        put_name(text, code, code->stop);
        return;
    }
    /* residues and the stop codon lost in frame: HGVS has no form for it */
    out->is_dropped |= old != code->stop && !edited->is_frameshift;
    put_name(text, code, new);
    if (old == code->stop)
        put_literal(text, "extTer");
    else
        put_literal(text, "fsTer");
    if (!ends)
        put_char(text, '?');
    else
        put_number(text, old == code->stop ? to_stop : to_stop + 1);
}

static int64_t put_hgvs(struct text *text, const struct consequence *edited) {
    const struct genetic_code *code = edited->transcript->code;
    struct writing out = {edited->transcript, text, 0};
    struct touched before = touched_codons(edited, 0), after = touched_codons(edited, 1);
    int64_t start = text->used;
    if (edited->loses_initiator) {
        put_literal(text, "Met1?");
        return text->used - start;
    }
    if (!edited->transcript->reads_to_its_end)
        return NOTHING;
    int64_t new_stop = find_touched(&after, code->stop);
    int keeps_stop =
        new_stop != NOTHING && before.count && touched_residue(&before, before.count - 1) == code->stop;
    if (edited->is_frameshift || edited->crosses_end ||
        (!keeps_stop && find_touched(&before, code->stop) != NOTHING)) {
        describe_reading_on(&out, edited);
    } else {
        if (keeps_stop && !same_touched(&before, &after)) {
            before.count--;
            after.count = new_stop;
        }
        if (find_touched(&before, code->unknown) != NOTHING || find_touched(&after, code->unknown) != NOTHING)
            return NOTHING;
        describe_in_frame(&out, edited, before, after);
    }
    if (out.is_dropped) {
        text->used = start;
        return NOTHING;
    }
    return text->used - start;
}

static void put_touched(struct text *text, const struct touched *touched) {
    if (!touched->count)
        put_char(text, '-');
    for (int64_t at = 0; at < touched->count; at++)
        put_letter(text, touched->edited->transcript->code, touched_residue(touched, at));
}

static int64_t put_amino_acids(struct text *text, const struct consequence *edited) {
    int64_t start = text->used;
    struct touched before = touched_codons(edited, 0), after = touched_codons(edited, 1);
    put_touched(text, &before);
    put_char(text, '/');
    put_touched(text, &after);
    return text->used - start;
}

static char lower(char letter) {
    return letter >= 'A' && letter <= 'Z' ? (char)(letter + 'a' - 'A') : letter;
}

/* The bases that change in upper case, those around them in lower case. */
static int64_t put_codons(struct text *text, const struct consequence *edited) {
    int64_t start = text->used;
    for (int is_after = 0; is_after < 2; is_after++) {
        struct touched touched = touched_codons(edited, is_after);
        if (is_after)
            put_char(text, '/');
        if (!touched.letters)
            put_char(text, '-');
        for (int64_t at = 0; at < touched.letters; at++) {
            char letter = touched_letter(&touched, at);
            int changes = at >= edited->lead && at < touched.letters - edited->trail;
            put_char(text, changes ? letter : lower(letter));
        }
    }
    return text->used - start;
}

struct protein_change describe_edit(const struct coding_transcript *transcript, const struct cdna_edit *edit,
                                    struct text *text) {
    struct protein_change change = {NOTHING, NOTHING, NOTHING, 0};
    if (edit->end <= transcript->start || edit->start >= transcript->end)
        return change;
    change.residue = 1;
    if (edit->start < transcript->start) {
        if (transcript->has_initiator) {
            put_literal(text, "Met1?");
            change.hgvs = sizeof("Met1?") - 1;
        }
        return change;
    }
    struct consequence edited = consequence_of(transcript, edit);
    change.residue = edited.first + 1;
    change.hgvs = put_hgvs(text, &edited);
    if (edited.crosses_end)
        return change;
    change.amino_acids = put_amino_acids(text, &edited);
    change.codons = put_codons(text, &edited);
    return change;
}
