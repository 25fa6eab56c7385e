/* Sequence Ontology terms as bits of a set, the most severe one lowest: those of terms.py, in its order. */
#ifndef TERMS_H
#define TERMS_H

#include <stdint.h>

#define TERM_LIST(TERM)                                                                                      \
    TERM(TRANSCRIPT_ABLATION, "transcript_ablation", HIGH)                                                   \
    TERM(SPLICE_ACCEPTOR, "splice_acceptor_variant", HIGH)                                                   \
    TERM(SPLICE_DONOR, "splice_donor_variant", HIGH)                                                         \
    TERM(STOP_GAINED, "stop_gained", HIGH)                                                                   \
    TERM(FRAMESHIFT, "frameshift_variant", HIGH)                                                             \
    TERM(STOP_LOST, "stop_lost", HIGH)                                                                       \
    TERM(START_LOST, "start_lost", HIGH)                                                                     \
    TERM(TRANSCRIPT_AMPLIFICATION, "transcript_amplification", HIGH)                                         \
    TERM(FEATURE_ELONGATION, "feature_elongation", HIGH)                                                     \
    TERM(FEATURE_TRUNCATION, "feature_truncation", HIGH)                                                     \
    TERM(INFRAME_INSERTION, "inframe_insertion", MODERATE)                                                   \
    TERM(INFRAME_DELETION, "inframe_deletion", MODERATE)                                                     \
    TERM(MISSENSE, "missense_variant", MODERATE)                                                             \
    TERM(PROTEIN_ALTERING, "protein_altering_variant", MODERATE)                                             \
    TERM(DONOR_5TH_BASE, "splice_donor_5th_base_variant", LOW)                                               \
    TERM(SPLICE_REGION, "splice_region_variant", LOW)                                                        \
    TERM(DONOR_REGION, "splice_donor_region_variant", LOW)                                                   \
    TERM(POLYPYRIMIDINE_TRACT, "splice_polypyrimidine_tract_variant", LOW)                                   \
    TERM(INCOMPLETE_CODON, "incomplete_terminal_codon_variant", LOW)                                         \
    TERM(START_RETAINED, "start_retained_variant", LOW)                                                      \
    TERM(STOP_RETAINED, "stop_retained_variant", LOW)                                                        \
    TERM(SYNONYMOUS, "synonymous_variant", LOW)                                                              \
    TERM(CODING_SEQUENCE, "coding_sequence_variant", MODIFIER)                                               \
    TERM(FIVE_PRIME_UTR, "5_prime_UTR_variant", MODIFIER)                                                    \
    TERM(THREE_PRIME_UTR, "3_prime_UTR_variant", MODIFIER)                                                   \
    TERM(NON_CODING_EXON, "non_coding_transcript_exon_variant", MODIFIER)                                    \
    TERM(INTRON, "intron_variant", MODIFIER)                                                                 \
    TERM(NMD_TRANSCRIPT, "NMD_transcript_variant", MODIFIER)                                                 \
    TERM(NON_CODING_TRANSCRIPT, "non_coding_transcript_variant", MODIFIER)                                   \
    TERM(UPSTREAM_GENE, "upstream_gene_variant", MODIFIER)                                                   \
    TERM(DOWNSTREAM_GENE, "downstream_gene_variant", MODIFIER)                                               \
    TERM(INTERGENIC, "intergenic_variant", MODIFIER)

enum impact { HIGH, MODERATE, LOW, MODIFIER };

#define TERM_RANK(name, text, impact) RANK_##name,
enum term_rank { TERM_LIST(TERM_RANK) TERM_COUNT };

#define TERM_BIT(name, text, impact) name##_BIT = (int64_t)1 << RANK_##name,
enum term_bit { TERM_LIST(TERM_BIT) };

typedef uint32_t term_set;

/* What only reading the codons can give. */
#define CODING_TERMS                                                                                         \
    (STOP_GAINED_BIT | FRAMESHIFT_BIT | STOP_LOST_BIT | START_LOST_BIT | INFRAME_INSERTION_BIT |             \
     INFRAME_DELETION_BIT | MISSENSE_BIT | PROTEIN_ALTERING_BIT | START_RETAINED_BIT | STOP_RETAINED_BIT |   \
     SYNONYMOUS_BIT)

/* What has one of these is not said to be in a splice region, too. */
#define SPLICE_SITE_TERMS (SPLICE_ACCEPTOR_BIT | SPLICE_DONOR_BIT | DONOR_5TH_BASE_BIT | DONOR_REGION_BIT)

/* Alleles are described where one of these holds: in exons, and in introns as far as splice regions reach. */
#define DESCRIBED_TERMS                                                                                      \
    (SPLICE_ACCEPTOR_BIT | SPLICE_DONOR_BIT | SPLICE_REGION_BIT | DONOR_5TH_BASE_BIT | DONOR_REGION_BIT |    \
     CODING_SEQUENCE_BIT | FIVE_PRIME_UTR_BIT | THREE_PRIME_UTR_BIT | NON_CODING_EXON_BIT)

#endif
