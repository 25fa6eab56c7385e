/* Record lines as they nearly all are, held against what a header promises of them.
 *
 * A line found plain here matches the pattern that check/patterns.py makes from the same promises, where each
 * rule is told by name. Of any other line nothing is said: it may be unusual, or wrong.
 *
 * The text ends in a newline. No rule lets one pass, so that none reads beyond a line.
 */
#include "text.h"

#define FIXED_COLUMNS 8 /* CHROM to INFO */
enum kind { UNKNOWN, FREE_TEXT, FLAG, TEXT, INTEGER, INTEGER_FROM_0, FLOAT, FLOAT_FROM_0, CHARACTER, CIGAR };
enum { BY_ALTERNATE = -1, BY_ALLELE = -2, BY_GENOTYPE = -3, ANY_NUMBER = -4 };
#define MOST_COUNTED_VALUES 24
#define MOST_PLOIDY 4

/* Texts to be found by what they are: a hash table of their numbers, -1 where a slot is free. */
struct names {
    const struct texts *texts;
    int64_t slot_count; /* a power of two */
    int32_t *slots;
};

/* INFO or FORMAT keys: kind of value, and how many (below 0: by what). */
struct keys {
    const struct names *names;
    const uint8_t *kind;
    const int32_t *number;
};

struct promises {
    int64_t columns;
    int64_t line_bytes; /* at most */
    int64_t colons;     /* whether names of contigs have any */
    const struct names *filters;
    const struct keys *info;
    const struct keys *format;
    const struct names *formats;  /* whole FORMAT columns */
    const int64_t *format_starts; /* where the keys of each start, and the end of the last */
    const int32_t *format_keys;
};

static uint64_t hash_of(struct piece name) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
    for (int64_t at = 0; at < name.length; at++)
        hash = (hash ^ (unsigned char)name.bytes[at]) * UINT64_C(0x100000001b3);
    return hash ^ (hash >> 32);
}

static int is_name(const struct names *names, int32_t number, struct piece name) {
    struct piece known = text_at(names->texts, number);
    return known.length == name.length && !memcmp(known.bytes, name.bytes, (size_t)name.length);
}

/* The number of a name, or -1. */
static int32_t number_of(const struct names *names, struct piece name) {
    uint64_t mask = (uint64_t)names->slot_count - 1;
    for (uint64_t slot = hash_of(name) & mask; names->slots[slot] >= 0; slot = (slot + 1) & mask)
        if (is_name(names, names->slots[slot], name))
            return names->slots[slot];
    return -1;
}

/* Fill the slots, of which there are more than names. Returns 0, or -1 where there are too few. */
int64_t index_names(const struct names *names) {
    if (names->slot_count <= names->texts->count || (names->slot_count & (names->slot_count - 1)))
        return -1;
    uint64_t mask = (uint64_t)names->slot_count - 1;
    for (int64_t slot = 0; slot < names->slot_count; slot++)
        names->slots[slot] = -1;
    for (int64_t number = 0; number < names->texts->count; number++) {
        uint64_t slot = hash_of(text_at(names->texts, number)) & mask;
        while (names->slots[slot] >= 0)
            slot = (slot + 1) & mask;
        names->slots[slot] = (int32_t)number;
    }
    return 0;
}

/* Each rule gets where a value starts, and returns where it ends; NULL where it does not hold. */

static int is_text(char byte) { return (unsigned char)byte >= ' ' && byte != 0x7f; }

static int is_digit(char byte) { return byte >= '0' && byte <= '9'; }

static int is_base(char byte) {
    char upper = (char)(byte & ~0x20);
    return upper == 'A' || upper == 'C' || upper == 'G' || upper == 'T' || upper == 'N';
}

static const char *digits(const char *at) {
    while (is_digit(*at))
        at++;
    return at;
}

static const char *whole_number(const char *at) {
    const char *end = digits(at);
    return end > at ? end : NULL;
}

static const char *number(const char *at) {
    const char *end = digits(at);
    int any = end > at;
    if (*end == '.') {
        const char *point = end;
        end = digits(point + 1);
        any |= end > point + 1;
    }
    if (!any)
        return NULL;
    if (*end != 'e' && *end != 'E')
        return end;
    end++;
    return whole_number(*end == '+' || *end == '-' ? end + 1 : end);
}

static const char *cigar(const char *at) {
    const char *start = at;
    for (;;) {
        const char *operation = digits(at);
        if (!*operation || !strchr("MIDNSHPX=", *operation))
            return at > start && operation == at ? at : NULL;
        at = operation + 1;
    }
}

static const char *text_without(const char *at, char divider, char other) {
    const char *start = at;
    while (is_text(*at) && *at != divider && *at != other)
        at++;
    return at > start ? at : NULL;
}

static const char *one_value(const char *at, enum kind kind) {
    int is_signed = *at == '+' || (*at == '-' && (kind == INTEGER || kind == FLOAT));
    switch (kind) {
    case TEXT:
        return text_without(at, ',', ';');
    case CHARACTER:
        return is_text(*at) && (unsigned char)*at < 0x80 && !strchr(";:,", *at) ? at + 1 : NULL;
    case CIGAR:
        return *at == '.' ? at + 1 : cigar(at);
    case INTEGER:
    case INTEGER_FROM_0:
        return *at == '.' ? at + 1 : whole_number(at + is_signed);
    case FLOAT:
    case FLOAT_FROM_0:
        return *at == '.' && !is_digit(at[1]) ? at + 1 : number(at + is_signed);
    default:
        return NULL;
    }
}

static int64_t binomial(int64_t of, int64_t count) {
    int64_t found = 1;
    for (int64_t factor = 1; factor <= count; factor++)
        found = found * (of - count + factor) / factor;
    return found;
}

/* How many values there must be, or ANY_NUMBER; a ploidy of 0 is not known. */
static int64_t expected_count(int32_t number, int64_t alternates, int64_t ploidy) {
    int64_t count = ANY_NUMBER;
    if (number >= 0)
        count = number;
    else if (alternates && number == BY_ALTERNATE)
        count = alternates;
    else if (alternates && number == BY_ALLELE)
        count = alternates + 1;
    else if (alternates && number == BY_GENOTYPE && ploidy && alternates < MOST_COUNTED_VALUES)
        count = binomial(alternates + ploidy, ploidy);
    return count > MOST_COUNTED_VALUES ? ANY_NUMBER : count;
}

static const char *values(const char *at, enum kind kind, int64_t count) {
    const char *start = at;
    int64_t wanted = count == 0 ? 1 : count;
    for (int64_t found = 1;; found++) {
        at = one_value(at, kind);
        if (!at)
            return NULL;
        if (*at != ',') {
            int is_missing = found == 1 && wanted > 1 && *start == '.' && at == start + 1;
            return wanted == ANY_NUMBER || found == wanted || is_missing ? at : NULL;
        }
        at++;
    }
}

/* The fixed columns. */

static const char *chrom(const char *at, int64_t colons) {
    const char *start = at;
    while (is_text(*at) && *at != ' ' && *at != '<' && *at != '>' && *at != ',' && (*at != ':' || colons))
        at++;
    return at > start ? at : NULL;
}

static const char *position(const char *at) {
    const char *end = whole_number(at);
    return end && end - at <= 10 ? end : NULL;
}

static const char *identifiers(const char *at) {
    for (;; at++) {
        at = text_without(at, ';', ' ');
        if (!at || *at != ';')
            return at;
    }
}

static const char *bases(const char *at) {
    const char *start = at;
    while (is_base(*at))
        at++;
    return at > start ? at : NULL;
}

static const char *allele(const char *at) {
    if (*at == '*')
        return at + 1;
    if (*at != '<')
        return bases(at);
    const char *start = ++at;
    while (is_text(*at) && *at != ' ' && *at != '<' && *at != '>' && *at != ',')
        at++;
    return at > start && *at == '>' ? at + 1 : NULL;
}

static const char *alternate_alleles(const char *at, int64_t *count) {
    *count = 0;
    if (*at == '.')
        return at + 1;
    for (;; at++) {
        at = allele(at);
        ++*count;
        if (!at || *at != ',')
            return at;
    }
}

static const char *quality(const char *at) {
    return *at == '.' && !is_digit(at[1]) ? at + 1 : number(*at == '+' ? at + 1 : at);
}

static const char *filters(const char *at, const struct names *names) {
    if (*at == '.' && at[1] == '\t')
        return at + 1;
    for (;; at++) {
        const char *end = text_without(at, ';', ';');
        if (!end || number_of(names, (struct piece){at, end - at}) < 0)
            return NULL;
        at = end;
        if (*at != ';')
            return at;
    }
}

/* INFO. */

static const char *info_item(const char *at, const struct keys *keys, int64_t alternates) {
    const char *end = text_without(at, ';', '=');
    int32_t key = end ? number_of(keys->names, (struct piece){at, end - at}) : -1;
    if (key < 0)
        return NULL;
    enum kind kind = keys->kind[key];
    if (kind == FLAG || kind == FREE_TEXT) {
        if (*end != '=')
            return end;
        end++;
        if (kind == FLAG)
            return *end == '0' || *end == '1' ? end + 1 : NULL;
        while (is_text(*end) && *end != ';')
            end++;
        return end;
    }
    return *end == '=' ? values(end + 1, kind, expected_count(keys->number[key], alternates, 0)) : NULL;
}

static const char *info(const char *at, const struct keys *keys, int64_t alternates) {
    if (*at == '.' && (at[1] == '\t' || at[1] == '\n'))
        return at + 1;
    for (;;) {
        at = info_item(at, keys, alternates);
        if (!at || *at != ';')
            return at;
        at++;
        if (*at == '\t' || *at == '\n')
            return at; /* a semicolon at the end hides nothing */
    }
}

/* Samples. */

struct genotype {
    int64_t ploidy;
    int has_missing;
};

static const char *genotype(const char *at, int64_t highest, struct genotype *found) {
    *found = (struct genotype){0, 0};
    for (;; at++) {
        if (*at == '.') {
            found->has_missing = 1;
            at++;
        } else {
            const char *end = whole_number(at);
            int64_t number = 0;
            if (!end || (end - at > 1 && *at == '0') || end - at > 9)
                return NULL;
            for (; at < end; at++)
                number = number * 10 + (*at - '0');
            if (number > highest)
                return NULL;
        }
        found->ploidy++;
        if (*at != '/' && *at != '|')
            return at;
    }
}

static int is_end_of_value(char byte) { return byte == ':' || byte == '\t' || byte == '\n'; }

/* The values of `count` keys, of which the last ones may be left out. */
static const char *sample_values(const char *at, const struct keys *keys, const int32_t *numbers,
                                 int64_t count, int64_t alternates, int64_t ploidy) {
    for (int64_t which = 0; which < count; which++) {
        int32_t key = numbers[which];
        if (which) {
            if (*at != ':')
                return at;
            at++;
        }
        if (*at == '.' && is_end_of_value(at[1]))
            at++;
        else if (keys->kind[key] == FREE_TEXT)
            at = text_without(at, ':', ':');
        else
            at = values(at, keys->kind[key], expected_count(keys->number[key], alternates, ploidy));
        if (!at)
            return NULL;
    }
    return at;
}

static int has_count_by_genotype(const struct keys *keys, const int32_t *numbers, int64_t count) {
    for (int64_t which = 0; which < count; which++)
        if (keys->number[numbers[which]] == BY_GENOTYPE && keys->kind[numbers[which]] != FREE_TEXT)
            return 1;
    return 0;
}

struct format {
    const int32_t *keys;
    int64_t count;
    int starts_with_genotype, counts_by_genotype;
};

static int ends_column(const char *at) { return at && (*at == '\t' || *at == '\n'); }

static const char *sample(const char *at, const struct keys *keys, const struct format *format,
                          int64_t alternates) {
    if (format->starts_with_genotype) {
        struct genotype found;
        at = genotype(at, alternates > 1 ? alternates : 1, &found);
        if (!at || *at != ':' || format->count == 1)
            return at;
        /* without the number of alleles, values are not counted by them */
        int is_counted = !found.has_missing && found.ploidy <= MOST_PLOIDY;
        return sample_values(at + 1, keys, format->keys + 1, format->count - 1, is_counted ? alternates : 0,
                             is_counted ? found.ploidy : 0);
    }
    if (!format->counts_by_genotype)
        return sample_values(at, keys, format->keys, format->count, alternates, 0);
    for (int64_t ploidy = 1; ploidy <= 2; ploidy++) {
        const char *end = sample_values(at, keys, format->keys, format->count, alternates, ploidy);
        if (ends_column(end))
            return end;
    }
    return NULL;
}

static const char *samples(const char *at, const struct promises *promises, int64_t alternates) {
    const char *end = text_without(at, '\t', '\t');
    int32_t number = end ? number_of(promises->formats, (struct piece){at, end - at}) : -1;
    if (number < 0)
        return NULL;
    struct format format = {promises->format_keys + promises->format_starts[number],
                            promises->format_starts[number + 1] - promises->format_starts[number], 0, 0};
    format.starts_with_genotype = end - at >= 2 && at[0] == 'G' && at[1] == 'T' && is_end_of_value(at[2]);
    format.counts_by_genotype = has_count_by_genotype(promises->format, format.keys, format.count);
    at = end;
    for (int64_t column = FIXED_COLUMNS + 1; column < promises->columns; column++) {
        if (*at != '\t')
            return NULL;
        at = sample(at + 1, promises->format, &format, alternates);
        if (!ends_column(at))
            return NULL;
    }
    return at;
}

/* Whole lines. */

static const char *next_column(const char *at) { return at && *at == '\t' ? at + 1 : NULL; }

static int is_plain(const char *at, const struct promises *promises) {
    int64_t alternates = 0;
#define COLUMN(rule)                                                                                         \
    if (!(at = next_column(rule)))                                                                           \
    return 0
    COLUMN(chrom(at, promises->colons));
    COLUMN(position(at));
    COLUMN(identifiers(at));
    COLUMN(bases(at));
    COLUMN(alternate_alleles(at, &alternates));
    COLUMN(quality(at));
    COLUMN(filters(at, promises->filters));
#undef COLUMN
    at = info(at, promises->info, alternates);
    if (promises->columns > FIXED_COLUMNS)
        at = at && *at == '\t' ? samples(at + 1, promises, alternates) : NULL;
    return at && *at == '\n';
}

/* Whether each of the lines is plain. Returns how many are, or -1 where the lines are not as `ends` says. */
int64_t find_plain(const struct promises *promises, const char *text, int64_t size, int64_t count,
                   const int64_t *ends, uint8_t *plain) {
    int64_t start = 0, found = 0;
    for (int64_t line = 0; line < count; line++) {
        if (ends[line] <= start || ends[line] > size || text[ends[line] - 1] != '\n')
            return -1;
        plain[line] = ends[line] - 1 - start <= promises->line_bytes && is_plain(text + start, promises);
        found += plain[line];
        start = ends[line];
    }
    return found;
}

/* How many newlines a text has. */
int64_t count_lines(const char *text, int64_t size) {
    int64_t count = 0;
    const char *newline, *end = text + size;
    while (text < end && (newline = memchr(text, '\n', (size_t)(end - text)))) {
        count++;
        text = newline + 1;
    }
    return count;
}

/* Where each line of a text ends, its position, and at which lines CHROM is another than in the line before.
 *
 * `positions` gets -1 where POS is no number of at most ten digits. Returns the number of such lines, which are
 * the first so many of `starts_run`; -1 where the text does not consist of `count` lines.
 */
int64_t find_places(const char *text, int64_t size, int64_t count, int64_t *ends, int64_t *positions,
                    int64_t *starts_run) {
    struct piece last = {"", -1};
    int64_t start = 0, runs = 0;
    for (int64_t line = 0; line < count; line++) {
        const char *newline = start < size ? memchr(text + start, '\n', (size_t)(size - start)) : NULL;
        if (!newline)
            return -1;
        const char *at = text + start;
        while (*at != '\t' && *at != '\n')
            at++;
        struct piece contig = {text + start, at - (text + start)};
        if (contig.length != last.length || memcmp(contig.bytes, last.bytes, (size_t)contig.length))
            starts_run[runs++] = line;
        last = contig;
        const char *end = *at == '\t' ? position(at + 1) : NULL;
        positions[line] = -1;
        if (end && *end == '\t') {
            int64_t found = 0;
            for (at++; at < end; at++)
                found = found * 10 + (*at - '0');
            positions[line] = found;
        }
        start = newline - text + 1;
        ends[line] = start;
    }
    return start == size ? runs : -1;
}
