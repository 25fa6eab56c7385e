/* What an edit of a transcript does to its protein. */
#ifndef PROTEIN_H
#define PROTEIN_H

#include "bases.h"
#include "genetic_code.h"
#include "text.h"

/* A spliced transcript that is translated. */
struct coding_transcript {
    const struct genetic_code *code;
    const char *cdna;
    int64_t length;
    int64_t start, end; /* 0-based, half-open: the part that is translated */
    int64_t pad; /* bases of the first codon that an incomplete start lacks */
    int has_initiator; /* the first codon starts the protein, rather than being the first that is known */
    int reads_to_its_end; /* no stop stands inside: a selenocysteine, or a frame that is not the real one */
};

/* Read what the transcript's own bases tell: has_initiator and reads_to_its_end. */
void read_protein(struct coding_transcript *transcript);

/* Bases start to end of the cDNA (0-based, half-open) are replaced. */
struct cdna_edit {
    int64_t start, end;
    struct allele_bases inserted;
};

/* What can be said of a protein's change, in texts one behind the other; a length of -1 for what cannot. */
struct protein_change {
    int64_t hgvs; /* the part after `p.`, without parentheses */
    int64_t amino_acids; /* VEP's: V/F; - stands for none, X for a part of a codon */
    int64_t codons; /* Gtt/Ttt */
    int64_t residue; /* 1-based number of the first residue concerned, 0 where none is */
};

/* Say what an edit does to the protein. */
struct protein_change describe_edit(const struct coding_transcript *transcript, const struct cdna_edit *edit,
                                    struct text *text);

#endif
