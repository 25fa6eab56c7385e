import gzip
import hashlib
import re
from contextlib import closing

import pysam
import pytest

from annotations.engine.building import genome
from annotations.engine.bundle import BundleError
from annotations.engine.packed_genome import GenomePacker, PackedGenome
from annotations.engine.tests.sources import BASES, Sources, fasta_text


def _pack_bgzf(sources: Sources) -> None:
    with pysam.BGZFile(str(sources.folder / "genome.fa.gz"), "wb", None) as file:
        file.write(fasta_text().encode())


@pytest.mark.parametrize("packing", ["plain", "gzip", "bgzf", "crlf", "one line", "lower case"])
def test_the_genome_is_the_same_however_the_fasta_is_written(sources: Sources, packing: str) -> None:
    text = fasta_text()
    if packing == "gzip":
        sources.fasta = sources.write("genome.fa.gz", gzip.compress(text.encode()))
    elif packing == "bgzf":
        _pack_bgzf(sources)
        sources.fasta = sources.folder / "genome.fa.gz"
    elif packing == "crlf":
        sources.write("genome.fa", text.replace("\n", "\r\n"))
    elif packing == "one line":
        sources.write("genome.fa", f">1\n{BASES}")
    elif packing == "lower case":
        sources.write("genome.fa", f">1\n{BASES.lower()}\n")
    bundle = sources.build()
    (contig,) = bundle.contigs
    assert (contig.name, contig.length) == ("1", len(BASES))
    assert contig.md5 == hashlib.md5(BASES.encode(), usedforsecurity=False).hexdigest()
    with pysam.FastaFile(str(bundle.genome)) as fasta:
        assert fasta.fetch("1") == BASES


def test_contigs_may_be_longer_than_what_is_read_at_once(
    sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources.write("genome.fa", fasta_text() + fasta_text("a-rather-long-name-of-a-contig", BASES[::-1]))
    for chunk_bytes in (7, 64, 1000):
        monkeypatch.setattr(genome, "CHUNK_BYTES", chunk_bytes)
        packed, others = sources.folder / "out.2b", sources.folder / "out.npy"
        with closing(GenomePacker(packed, others)) as packer:
            contigs = genome.write_genome(sources.fasta, sources.folder / "out.fa.gz", packer)
        assert [contig.length for contig in contigs] == [len(BASES)] * 2
        lengths = [(contig.name, contig.length) for contig in contigs]
        read = PackedGenome(packed, others, lengths).fetch
        assert read("a-rather-long-name-of-a-contig", 0, len(BASES)).decode() == BASES[::-1]
        with pysam.FastaFile(str(sources.folder / "out.fa.gz")) as fasta:
            assert fasta.fetch("a-rather-long-name-of-a-contig") == BASES[::-1]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        ("  \n\n", "holds nothing but white space"),
        ("ACGT\n", "is a file that starts with 'ACGT'. Expected a FASTA"),
        ("##gff-version 3\n", "is a GFF3. Expected a FASTA"),
        ("##fileformat=VCFv4.2\n", "is a VCF. Expected a FASTA"),
        ("@read1\nACGT\n+\nIIII\n", "is a FASTQ file. Expected a FASTA"),
        ("<!DOCTYPE html>\n<html>", "is an HTML page"),
        (b"PK\x03\x04rest", "is a zip archive: unpack it first"),
        (b"\x89PNG\r\n", "is a PNG picture"),
        (gzip.compress(b"BAM\x01rest", mtime=0), "is a BAM file"),
        (gzip.compress(fasta_text().encode(), mtime=0)[:-20], "is cut off or damaged"),
        (fasta_text() + fasta_text(), "has two sequences named '1'"),
        (">1\nACGT\n>\nACGT\n", "has a header line without a name"),
        (">1\nACGT\n>2\n", "sequence '2' has no bases"),
        (">P1\nMKLVEFP\n", "sequence 'P1' holds 'E', 'F', 'L', 'P', which is no DNA base"),
    ],
)
def test_a_file_that_is_no_dna_fasta_is_refused_with_what_it_is(
    sources: Sources, content: str | bytes, message: str
) -> None:
    sources.write("genome.fa", content)
    with pytest.raises(BundleError, match=re.escape(message)):
        sources.build()


def test_a_missing_file_is_named(sources: Sources) -> None:
    sources.fasta = sources.folder / "nowhere.fa"
    with pytest.raises(BundleError, match=r"nowhere\.fa cannot be read \(No such file or directory\)"):
        sources.build()
