"""Small VCFs to break."""

HEADER_LINES = (
    "##fileformat=VCFv4.2",
    "##contig=<ID=1,length=248956422>",
    '##FILTER=<ID=q10,Description="Quality below 10">',
    '##INFO=<ID=DP,Number=1,Type=Integer,Description="Depth">',
    '##INFO=<ID=AF,Number=A,Type=Float,Description="Frequency">',
    '##INFO=<ID=DB,Number=0,Type=Flag,Description="In dbSNP">',
    '##INFO=<ID=NOTE,Number=1,Type=String,Description="Text">',
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">',
    '##FORMAT=<ID=AD,Number=R,Type=Integer,Description="Depths">',
    '##FORMAT=<ID=PL,Number=G,Type=Integer,Description="Likelihoods">',
)
FIXED = ("#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO")
GOOD = {
    "CHROM": "1",
    "POS": "1000",
    "ID": "rs1",
    "REF": "A",
    "ALT": "G",
    "QUAL": "50",
    "FILTER": "PASS",
    "INFO": "DP=10;AF=0.5",
    "FORMAT": "GT:AD:PL",
    "S1": "0/1:5,5:90,0,90",
    "S2": "1|1:0,9:90,9,0",
}


def vcf(
    *records: str, header: tuple[str, ...] = HEADER_LINES, samples: tuple[str, ...] = ("S1", "S2")
) -> str:
    """A VCF of these record lines."""
    columns = "\t".join([*FIXED, *(["FORMAT", *samples] if samples else [])])
    return "\n".join([*header, columns, *records]) + "\n"


def record(**changed: str) -> str:
    """A faultless record line, but for the columns that are given."""
    return "\t".join((GOOD | changed).values())
