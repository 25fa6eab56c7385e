"""BGZF, the gzip in blocks of the SAM specification (section 4.1), packed with Intel's ISA-L.

A body of a million annotated records is a quarter of a gigabyte of text; ISA-L packs it in a quarter of the
time that zlib takes at its fastest level, and smaller.

The same text always makes the same blocks. By itself ISA-L does not see to that: at the start of a stream
without history it files the third position under a register that nothing has set (in its source, `tmp2` at
`.write_first_byte` of igzip/igzip_icf_body_h1_gr_bt.asm), so that a match may depend on where the stack is.
"""

import struct
import zlib
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO, Self

from isal import isal_zlib

if TYPE_CHECKING:
    import numpy as np

# The empty block that ends every BGZF file.
END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
BLOCK_BYTES = 0xFF00  # of text: packed, a block must fit in 64 KB, and text that cannot be packed grows
_LEVEL = 1  # of 0 to 3; those above cost more and save nothing on such text
_RAW_DEFLATE = -15
_NO_TEXT = b"\0" * 8  # a history to start with that no text can refer to
# gzip magic, deflate, FEXTRA; no time, no flags, unknown system; 6 bytes extra: "BC", 2 bytes: block size - 1
_HEADER = struct.Struct("<4B I 2B H 2B H H")
_TRAILER = struct.Struct("<2I")


class BgzfWriter:
    """Writes bytes to `path` as BGZF blocks, and the end block when it is closed."""

    def __init__(self, path: Path) -> None:
        self._file: BinaryIO = path.open("wb")
        self._rest = b""
        self._block_starts = [0]  # in the file, and in the text
        self._text_starts = [0]

    def write(self, data: bytes) -> None:
        data = self._rest + data if self._rest else data
        view = memoryview(data)
        whole = len(data) - len(data) % BLOCK_BYTES
        for start in range(0, whole, BLOCK_BYTES):
            self._write_block(view[start : start + BLOCK_BYTES])
        self._rest = data[whole:]

    def end_block(self) -> None:
        """What is written from here on begins a block."""
        if self._rest:
            self._write_block(self._rest)
            self._rest = b""

    def close(self) -> None:
        self.end_block()
        self._file.write(END)
        self._file.close()

    def virtual_offsets(self, text_offsets: "np.ndarray") -> "np.ndarray":
        """Where text that was written stands: start of its block in the file << 16 | place in the block."""
        import numpy as np  # a worker that divides files packs, and asks for no index

        text_starts = np.asarray(self._text_starts)
        number = np.searchsorted(text_starts, text_offsets, "right") - 1
        return (np.asarray(self._block_starts)[number] << 16) | (text_offsets - text_starts[number])

    def _write_block(self, data: bytes | memoryview) -> None:
        self._block_starts.append(self._block_starts[-1] + self._file.write(block(data)))
        self._text_starts.append(self._text_starts[-1] + len(data))

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
    packed = _deflated(bytes(data))
    size = _HEADER.size + len(packed) + _TRAILER.size
    header = _HEADER.pack(0x1F, 0x8B, 8, 4, 0, 0, 255, 6, ord("B"), ord("C"), 2, size - 1)
    return b"".join((header, packed, _TRAILER.pack(isal_zlib.crc32(data), len(data))))


def _deflated(data: bytes) -> bytes:
    if _NO_TEXT[:1] in data:
        return zlib.compress(data, _LEVEL, _RAW_DEFLATE)
    stream = isal_zlib.compressobj(_LEVEL, isal_zlib.DEFLATED, _RAW_DEFLATE, zdict=_NO_TEXT)
    return stream.compress(data) + stream.flush()
