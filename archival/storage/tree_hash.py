"""The tree hash by which Glacier vaults compare what was sent with what arrived.

https://docs.aws.amazon.com/amazonglacier/latest/dev/checksum-calculations.html: SHA-256 of each MiB, then of
each pair of neighbours, up to one.
"""

import hashlib

LEAF_BYTES = 1024 * 1024


def leaves(data: bytes | bytearray) -> list[bytes]:
    """The hash of each MiB; no data has the one hash of nothing."""
    view = memoryview(data)
    return [
        hashlib.sha256(view[at : at + LEAF_BYTES]).digest() for at in range(0, max(len(data), 1), LEAF_BYTES)
    ]


def root(level: list[bytes]) -> str:
    """The hash over leaves in their order, in hexadecimal. A neighbourless one goes up as it is."""
    while len(level) > 1:
        pairs = [level[at : at + 2] for at in range(0, len(level), 2)]
        level = [hashlib.sha256(b"".join(pair)).digest() if len(pair) == 2 else pair[0] for pair in pairs]
    return level[0].hex()
