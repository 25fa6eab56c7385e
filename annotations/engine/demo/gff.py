"""The demo's gene models as GFF3 in Ensembl's dialect."""

from collections.abc import Iterator

from annotations.engine.demo.gene_models import ALIASES, CONTIG_LENGTHS, GENES, Gene, Shape

Feature = tuple[str, int, int, str, str, str]  # type, start, end, strand, phase, attributes

_GENE_TYPES = {"protein_coding": "gene", "processed_pseudogene": "pseudogene"}
_TRANSCRIPT_TYPES = {
    "protein_coding": "mRNA",
    "processed_pseudogene": "pseudogenic_transcript",
    "lncRNA": "lnc_RNA",
    "Mt_tRNA": "tRNA",
    "Mt_rRNA": "rRNA",
    "miRNA": "miRNA",
}


def gff_lines() -> Iterator[str]:
    """The lines of the GFF3, sorted by contig and start."""
    yield "##gff-version 3"
    for contig, length in CONTIG_LENGTHS.items():
        yield f"##sequence-region {contig} 1 {length}"
    for contig, length in CONTIG_LENGTHS.items():
        attributes = f"ID=chromosome:{contig};Alias={ALIASES[contig]}"
        yield f"{contig}\tdemo\tchromosome\t1\t{length}\t.\t.\t.\t{attributes}"
        features = [
            feature
            for number, gene in enumerate(GENES, 1)
            if gene.contig == contig
            for feature in _gene(number, gene)
        ]
        for kind, start, end, strand, phase, attributes in sorted(features, key=lambda feature: feature[1]):
            yield f"{contig}\tdemo\t{kind}\t{start}\t{end}\t.\t{strand}\t{phase}\t{attributes}"


def transcript_id(gene_number: int, shape_number: int) -> str:
    return f"DEMOT{gene_number * 100 + shape_number:011d}"


def _gene(number: int, gene: Gene) -> Iterator[Feature]:
    strand = "+" if gene.strand > 0 else "-"
    gene_id = f"DEMOG{number:011d}"
    kind = _GENE_TYPES.get(gene.biotype, "ncRNA_gene")
    attributes = (
        f"ID=gene:{gene_id};Name={gene.name};biotype={gene.biotype};"
        f"description=made-up gene {gene.name};gene_id={gene_id};version=1"
    )
    yield kind, gene.start, gene.end, strand, ".", attributes
    for shape_number, shape in enumerate(gene.shapes, 1):
        name = transcript_id(number, shape_number)
        biotype = shape.biotype or gene.biotype
        start, end = gene.span(shape.exons[0][0], shape.exons[-1][1])
        attributes = (
            f"ID=transcript:{name};Parent=gene:{gene_id};Name={gene.name}-{200 + shape_number};"
            f"biotype={biotype};tag={','.join(shape.tags)};transcript_id={name};version=1"
        )
        if shape.refseq:
            attributes += f";Dbxref=RefSeq:{shape.refseq}"
        yield _TRANSCRIPT_TYPES.get(biotype, "transcript"), start, end, strand, ".", attributes
        yield from _parts(gene, shape, name, strand)


def _parts(gene: Gene, shape: Shape, name: str, strand: str) -> Iterator[Feature]:
    parent = f"Parent=transcript:{name}"
    protein = name.replace("DEMOT", "DEMOP")
    cds = shape.cds if shape.codons else ()
    coded = 0
    for rank, (start, end) in enumerate(shape.exons, 1):
        yield "exon", *gene.span(start, end), strand, ".", f"{parent};rank={rank}"
        if not cds:
            continue
        coding_start, coding_end = max(start, cds[0]), min(end, cds[-1] + 1)
        if start < min(end, cds[0]):
            yield "five_prime_UTR", *gene.span(start, min(end, cds[0])), strand, ".", parent
        if coding_start < coding_end:
            # The phase counts the bases to skip before the first whole codon.
            phase = str((shape.leading - coded) % 3)
            attributes = f"ID=CDS:{protein};{parent};protein_id={protein};version=1"
            yield "CDS", *gene.span(coding_start, coding_end), strand, phase, attributes
            coded += coding_end - coding_start
        if max(start, cds[-1] + 1) < end:
            yield "three_prime_UTR", *gene.span(max(start, cds[-1] + 1), end), strand, ".", parent
