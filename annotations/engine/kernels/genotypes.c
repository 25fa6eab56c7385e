/* Genotypes: where the fields of each sample stand, and what a genotype says of an allele. */
#include "lines.h"

#define MOST_KEYS 8

/* The number of `key` among the keys of FORMAT, -1 for none. */
static int64_t place_of(struct piece format, struct piece key) {
    int64_t place = 0;
    for (const char *at = format.bytes, *end = at + format.length;; place++) {
        const char *colon = memchr(at, ':', (size_t)(end - at)), *stop = colon ? colon : end;
        if (stop - at == key.length && !memcmp(at, key.bytes, (size_t)key.length))
            return place;
        if (!colon)
            return -1;
        at = colon + 1;
    }
}

/* Those of `keys` that a FORMAT has, in its order. */
struct layout {
    int64_t count;
    int64_t key[MOST_KEYS];
    int64_t place[MOST_KEYS];
};

static struct layout layout_of(struct piece format, const struct texts *keys) {
    struct layout found = {0};
    for (int64_t key = 0; key < keys->count; key++) {
        int64_t place = place_of(format, text_at(keys, key)), at = found.count;
        if (place < 0)
            continue;
        for (; at > 0 && found.place[at - 1] > place; at--) {
            found.place[at] = found.place[at - 1];
            found.key[at] = found.key[at - 1];
        }
        found.place[at] = place;
        found.key[at] = key;
        found.count++;
    }
    return found;
}

static inline int ends_field(char byte) { return byte == ':' || byte == '\t' || byte == '\n'; }

/* Find the fields of FORMAT's `keys`, of which no two are the same, in the samples of all records.
 *
 * `at` and `length` have a row for each key, and in it a field for each sample of each record; the length is -1
 * where record or sample lacks it. Returns 0, or -1 where a record has not `samples` samples.
 */
int64_t find_sample_fields(const struct lines *lines, const struct texts *keys, int64_t samples, int64_t *at,
                           int32_t *length) {
    const char *block = lines->block;
    int64_t cells = lines->count * samples, cell = 0;
    struct piece format = {"", -1};
    struct layout layout = {0};
    if (keys->count > MOST_KEYS)
        return -1;
    memset(length, 0xff, (size_t)(keys->count * cells) * sizeof *length);
    for (int64_t record = 0; record < lines->count; record++) {
        const int64_t *row = lines->starts + LINE_COLUMNS * record;
        int64_t start = row[LINE_REST], end = row[LINE_END];
        if (start < 0 || start > end || end >= lines->size || block[end] != '\n')
            return -1;
        const char *tab = memchr(block + start, '\t', (size_t)(end - start));
        struct piece own = {block + start, tab ? tab - (block + start) : end - start};
        if (own.length != format.length || memcmp(own.bytes, format.bytes, (size_t)own.length)) {
            format = own;
            layout = layout_of(format, keys);
        }
        for (int64_t sample = 0; sample < samples; sample++, cell++) {
            if (!tab)
                return -1;
            int64_t from = tab - block + 1, place = 0;
            for (int64_t number = 0; number < layout.count; number++) {
                for (; place < layout.place[number] && block[from] != '\t' && block[from] != '\n'; from++)
                    place += block[from] == ':';
                if (place < layout.place[number])
                    break;
                int64_t to = from;
                while (!ends_field(block[to]))
                    to++;
                at[layout.key[number] * cells + cell] = from;
                length[layout.key[number] * cells + cell] = (int32_t)(to - from);
                from = to;
            }
            tab = memchr(block + from, '\t', (size_t)(end - from));
        }
        if (tab)
            return -1;
    }
    return 0;
}

struct said {
    int64_t copies; /* of the allele */
    int called, zeros, missing; /* alleles of the genotype; zeros are among those called */
};

/* What a genotype says of the allele with this number: its alleles are divided by / or |. */
static struct said read_genotype(struct piece genotype, const char *allele, int64_t digits) {
    struct said said = {0, 0, 0, 0};
    for (int64_t at = 0; at < genotype.length; at++) {
        const char *code = genotype.bytes + at;
        while (at < genotype.length && genotype.bytes[at] != '/' && genotype.bytes[at] != '|')
            at++;
        int64_t length = genotype.bytes + at - code;
        if (!length)
            continue;
        int is_missing = length == 1 && *code == '.';
        said.missing += is_missing;
        said.called += !is_missing;
        said.zeros += length == 1 && *code == '0';
        said.copies += length == digits && *code == *allele && !memcmp(code, allele, (size_t)digits);
    }
    return said;
}

/* Letters of ZYGOSITIES in genotypes.py. */
static char letter_of(struct said said) {
    if (!said.called)
        return '.';
    if (said.copies)
        return said.copies == said.called && !said.missing ? 'H' : 'h';
    if (said.missing)
        return 'p';
    return said.zeros == said.called ? 'r' : 'o';
}

/* What the genotypes say of alleles, each given by its record and its number.
 *
 * `genotypes` has one for each sample of each record. `copies` and `letters` get one for each sample of each
 * allele: how many copies of it there are (-1 where nothing is called, at most 127), and a letter. Returns 0,
 * or -1 for a record that is not there.
 */
int64_t read_genotypes(const struct texts *genotypes, int64_t samples, int64_t count, const int32_t *records,
                       const uint16_t *numbers, int8_t *copies, char *letters) {
    if (samples < 1)
        return -1;
    char digits[8];
    struct text allele = {digits, sizeof digits, 0};
    int64_t record_count = genotypes->count / samples;
    for (int64_t row = 0; row < count; row++) {
        if (!row || numbers[row] != numbers[row - 1]) {
            allele.used = 0;
            put_number(&allele, numbers[row]);
        }
        if (records[row] < 0 || records[row] >= record_count)
            return -1;
        for (int64_t sample = 0; sample < samples; sample++) {
            struct said said =
                read_genotype(text_at(genotypes, records[row] * samples + sample), digits, allele.used);
            int64_t found = said.copies > INT8_MAX ? INT8_MAX : said.copies;
            *copies++ = said.called ? (int8_t)found : -1;
            *letters++ = letter_of(said);
        }
    }
    return 0;
}
