/* Where HGVS places an allele, and what it calls what happens there. */
#ifndef PLACEMENT_H
#define PLACEMENT_H

#include "bases.h"
#include "spliced.h"
#include "text.h"

enum change_kind { SUBSTITUTION, DELETION, DUPLICATION, INSERTION, DELINS, INVERSION };

/* An allele on a transcript; places are 1-based and inclusive.
 *
 * `start` and `end` are what the description names: the bases changed or duplicated or, for an insertion, the
 * two that flank it. `deleted` are the bases replaced with `inserted`, on the transcript's strand; a
 * duplication deletes none.
 */
struct placement {
    enum change_kind kind;
    int64_t start, end;
    struct allele_bases deleted, inserted;
};

/* Place an allele on a transcript, shifted 3' as far as it stays on it. Returns 1; 0 where it is not on the
 * transcript as a whole or REF is not the genome's; LACKS_BASES. */
int place_allele(const struct spliced *model, struct genome_blocks *genome, int64_t transcript, int64_t place,
                 struct piece ref, struct piece alt, struct placement *out);

#endif
