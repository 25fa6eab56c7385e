import gzip
import os
import threading
from pathlib import Path

import pysam
import pytest

from annotations.engine.bgzf import BLOCK_BYTES, END, BgzfWriter, block

TEXTS = {
    "nothing": b"",
    "a line": b"21\t5\t.\tA\tG\n",
    "a block to the byte": b"ACGT" * (BLOCK_BYTES // 4),
    "many blocks": b"ACGT" * BLOCK_BYTES,
    "bytes that cannot be packed": os.urandom(3 * BLOCK_BYTES),
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_what_is_written_in_pieces_is_read_back_by_gzip_and_htslib(text: bytes, tmp_path: Path) -> None:
    path = tmp_path / "text.gz"
    with BgzfWriter(path) as file:
        file.write(text[:7])
        file.end_block()
        file.write(text[7:])
    assert gzip.decompress(path.read_bytes()) == text
    with pysam.BGZFile(str(path), "r", None) as read:
        assert read.read() == text


def test_a_file_whose_writing_failed_has_no_end_block(tmp_path: Path) -> None:
    path = tmp_path / "text.gz"
    with pytest.raises(ZeroDivisionError), BgzfWriter(path) as file:
        file.write(b"ACGT")
        file.write(b"" * (1 // 0))
    assert not path.read_bytes().endswith(END)


def test_a_block_is_the_same_wherever_in_memory_it_is_packed() -> None:
    """Every thread has a stack of its own; ISA-L left to itself packs some of these texts in two ways."""
    texts = [f"AC{number:04}GT{number:04}ACGT{number:04}".encode() for number in range(500)]
    packed: list[set[bytes]] = [set() for _ in texts]
    together = threading.Barrier(100)

    def pack() -> None:
        together.wait()
        for text, forms in zip(texts, packed, strict=True):
            forms.add(block(text))

    threads = [threading.Thread(target=pack) for _ in range(together.parties)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(forms) for forms in packed] == [1] * len(texts)
