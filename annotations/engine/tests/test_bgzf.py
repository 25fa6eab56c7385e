import gzip
import os
from pathlib import Path

import pysam
import pytest

from annotations.engine.bgzf import BLOCK_BYTES, END, BgzfWriter

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
