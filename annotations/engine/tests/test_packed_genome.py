"""The packed genome reads as the FASTA that it was made of."""

from contextlib import closing
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from annotations.engine.packed_genome import GenomePacker, PackedGenome

bases = st.text("ACGTN", min_size=1, max_size=40) | st.text("ACGTNNRYM", min_size=1, max_size=40)


@given(
    contigs=st.lists(st.lists(bases, min_size=1, max_size=5), min_size=1, max_size=4),
    start=st.integers(0, 210),
    length=st.integers(0, 100),
)
def test_any_stretch_of_any_contig_is_read_as_it_was_written(
    tmp_path_factory: object, contigs: list[list[str]], start: int, length: int
) -> None:
    folder = Path(tmp_path_factory.mktemp("packed"))  # type: ignore[attr-defined]
    packed, others = folder / "genome.2b", folder / "genome.others.npy"
    with closing(GenomePacker(packed, others)) as packer:
        for pieces in contigs:
            packer.start_contig()
            for piece in pieces:
                packer.write(piece.encode())
    whole = {str(number): "".join(pieces) for number, pieces in enumerate(contigs)}
    genome = PackedGenome(packed, others, [(name, len(text)) for name, text in whole.items()])
    for name, text in whole.items():
        assert genome.fetch(name, start, start + length).decode() == text[start : start + length]
