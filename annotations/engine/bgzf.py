"""BGZF, the gzip in blocks of the SAM specification (section 4.1), packed with Intel's ISA-L.

A body of a million annotated records is a quarter of a gigabyte of text; ISA-L packs it in a quarter of the
time that zlib takes at its fastest level, and smaller.
"""

import struct
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import numpy as np
from isal import isal_zlib

# The empty block that ends every BGZF file.
END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
BLOCK_BYTES = 0xFF00  # of text: packed, a block must fit in 64 KB, and text that cannot be packed grows
_LEVEL = 1  # of 0 to 3; those above cost more and save nothing on such text
_RAW_DEFLATE = -15
# gzip magic, deflate, FEXTRA; no time, no flags, unknown system; 6 bytes extra: "BC", 2 bytes: block size - 1
_HEADER = struct.Struct("<4B I 2B H 2B H H")
_TRAILER = struct.Struct("<2I")


class BgzfWriter:
    """Writes bytes to `path` as BGZF blocks, and the end block when it is closed."""

    def __init__(self, path: Path) -> None:
        self._file: BinaryIO = path.open("wb")
        self._rest = b""
        self._block_starts = [0]

    def write(self, data: bytes) -> None:
        data = self._rest + data if self._rest else data
        view = memoryview(data)
        whole = len(data) - len(data) % BLOCK_BYTES
        for start in range(0, whole, BLOCK_BYTES):
            self._write_block(view[start : start + BLOCK_BYTES])
        self._rest = data[whole:]

    def close(self) -> None:
        if self._rest:
            self._write_block(self._rest)
            self._rest = b""
        self._file.write(END)
        self._file.close()

    def virtual_offsets(self, text_offsets: np.ndarray) -> np.ndarray:
        """Where text that was written stands: start of its block in the file << 16 | place in the block."""
        number, within = np.divmod(text_offsets, BLOCK_BYTES)
        return (np.asarray(self._block_starts)[number] << 16) | within

    def _write_block(self, data: bytes | memoryview) -> None:
        self._block_starts.append(self._block_starts[-1] + self._file.write(block(data)))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        else:
            self._file.close()  # without the end block: what is there is not whole


def block(data: bytes | memoryview) -> bytes:
    """`data`, at most BLOCK_BYTES of it, as one block."""
    packed = isal_zlib.compress(data, _LEVEL, _RAW_DEFLATE)
    size = _HEADER.size + len(packed) + _TRAILER.size
    header = _HEADER.pack(0x1F, 0x8B, 8, 4, 0, 0, 255, 6, ord("B"), ord("C"), 2, size - 1)
    return b"".join((header, packed, _TRAILER.pack(isal_zlib.crc32(data), len(data))))
