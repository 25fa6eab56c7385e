"""How much of a file is taken, so that no upload can exhaust the machine."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """What an upload may be, at most.

    `unpacked_ratio` is unpacked to packed bytes: text of a thousand identical genotypes a line reaches 300,
    and deflate's own limit is 1,032. It is looked at once `free_bytes` are unpacked.
    """

    unpacked_bytes: int = 1 << 40
    unpacked_ratio: float = 500
    free_bytes: int = 64 << 20
    line_bytes: int = 64 << 20
    header_bytes: int = 64 << 20
    records: int = 1_000_000_000
    samples: int = 200_000
    ref_mismatch_share: float = 0.05
