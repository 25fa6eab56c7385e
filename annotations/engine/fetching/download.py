"""One file from its address into the cache: resumed where it stopped, verified before it counts."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from annotations.engine.fetching.cache import Cache, Download, Slot
from annotations.engine.fetching.checksums import Checksum, digest_of
from annotations.engine.fetching.errors import FetchError, RangeNotSatisfiable, TransientFault
from annotations.engine.fetching.http import Body, Client, RemoteFile


class Meter(Protocol):
    """Is told of every byte that comes, and of those that turned out to be of no use (negative)."""

    def advance(self, count_bytes: int) -> None: ...


class Tally:
    """Keeps the meter right about one file, whose part may shrink when it must start anew."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._told_bytes = 0

    def move_to(self, size_bytes: int) -> None:
        self._meter.advance(size_bytes - self._told_bytes)
        self._told_bytes = size_bytes


@dataclass(frozen=True)
class Downloads:
    """Brings files into the cache. `report` gets a line for what the user should know of."""

    client: Client
    cache: Cache
    meter: Meter
    report: Callable[[str], None]

    def fetch(self, remote: RemoteFile, expected: Checksum | None) -> tuple[Path, Download]:
        """Bring the file into the cache, or find it there; return it and what the manifest records of it.

        A part that is there is gone on with when the server still has the same version (by ETag or date),
        and dropped otherwise. A file whose checksum is wrong is fetched once more from its first byte: a
        fault on the way passes, a wrong file does not. Raises FetchError; what has come stays in the cache,
        unless it is known to be wrong.
        """
        slot = self.cache.slot(remote.url)
        tally = Tally(self.meter)
        finished = slot.finished()
        if finished and _is_still(finished, remote, expected):
            tally.move_to(finished.bytes)
            return slot.path, finished
        for last_chance in (False, True):
            came = self.receive(remote, slot, tally)
            found = digest_of(slot.part, expected.kind) if expected else None
            if found == expected:
                break
            slot.discard()
            tally.move_to(0)
            said = f"{remote.url} arrived damaged: expected its publisher's {expected}, found {found}"
            if last_chance:
                raise FetchError(
                    f"{said}. It was fetched twice, and nothing was kept. Try again later: the publisher may "
                    "be replacing the file just now."
                )
            self.report(f"{said}; fetching it once more")
        return slot.path, finish(came, slot, expected)

    def receive(
        self, remote: RemoteFile, slot: Slot, tally: Tally, byte_range: tuple[int, int] | None = None
    ) -> RemoteFile:
        """Fill the slot's part with the file, or its bytes from the first to before the second number.

        Comes back for the rest after each break. Returns the version that came: of a whole file, the
        server's newest; of a range, `remote`'s. Raises FetchError when tries in a row bring nothing new, or
        the part cannot be written.
        """
        failures = furthest = 0
        while True:
            try:
                if byte_range is None:
                    return self._receive_whole(remote, slot, tally)
                return self._receive_range(remote, slot, tally, byte_range)
            except TransientFault as fault:
                size = slot.size()
                # An answer that breaks off at the same byte again is no progress, however it started.
                failures = 1 if size > furthest else failures + 1
                furthest = max(furthest, size)
                if isinstance(fault, RangeNotSatisfiable):
                    slot.discard()
                self.client.pause(failures, fault)
            except OSError as error:
                raise FetchError(
                    f"{slot.part} cannot be written ({error.strerror}). Make room, or name another folder "
                    "with --cache, and run the same command again: it goes on where it stopped."
                ) from error

    def _receive_whole(self, remote: RemoteFile, slot: Slot, tally: Tally) -> RemoteFile:
        validator = slot.part_validator()
        have = slot.part_size(validator)
        tally.move_to(have)
        if have and have == remote.size_bytes and validator == remote.validator:
            return remote
        with self.client.body(remote.url, have, validator=validator) as body:
            if not body.is_part:
                have = 0
                slot.begin_part(remote.url, body.remote.validator)
            elif body.remote.validator not in {None, validator}:
                slot.discard()  # the server paid no heed to If-Range
                raise TransientFault(f"{remote.url} has changed on the server; starting anew")
            size = _append(body, slot, tally, have)
        _check_size(remote.url, size, body.remote.size_bytes)
        return replace(body.remote, size_bytes=size)

    def _receive_range(
        self, remote: RemoteFile, slot: Slot, tally: Tally, byte_range: tuple[int, int]
    ) -> RemoteFile:
        first, end = byte_range
        have = slot.part_size(remote.validator)
        tally.move_to(have)
        if have == end - first:
            return remote
        with self.client.body(remote.url, first + have, end, remote.validator) as body:
            asked_for_all = first + have == 0 and end == body.remote.size_bytes
            if not body.is_part and not (asked_for_all and body.remote.validator == remote.validator):
                raise FetchError(
                    f"{remote.url}: its server gave the whole file where a part was asked for: the file has "
                    "changed since its index was read, or the server knows no ranges. Run the same command "
                    "again; if it says the same, fetch without --chromosomes."
                )
            if not have:
                slot.begin_part(remote.url, remote.validator)
            size = _append(body, slot, tally, have)
        _check_size(remote.url, size, end - first)
        return remote


def finish(
    remote: RemoteFile,
    slot: Slot,
    checksum: Checksum | None,
    byte_ranges: tuple[tuple[int, int], ...] = (),
) -> Download:
    """Publish the slot's part, which has been verified, with what is known of it."""
    with slot.part.open("rb") as file:
        got = hashlib.file_digest(file, "sha256").hexdigest()
    done = Download(
        url=remote.url,
        bytes=slot.part.stat().st_size,
        sha256=got,
        checksum=str(checksum) if checksum else None,
        fetched_at=datetime.now(UTC).isoformat(timespec="seconds"),
        etag=remote.etag,
        last_modified=remote.last_modified,
        byte_ranges=byte_ranges,
    )
    slot.publish(done)
    return done


def _is_still(finished: Download, remote: RemoteFile, expected: Checksum | None) -> bool:
    """Whether the file in the cache is the one that the server has now."""
    if expected is not None:
        return finished.checksum == str(expected)
    same_size = remote.size_bytes in {None, finished.bytes}
    version = (finished.etag, finished.last_modified)
    return same_size and any(version) and version == (remote.etag, remote.last_modified)


def _check_size(url: str, size: int, expected: int | None) -> None:
    if expected is not None and size != expected:
        raise TransientFault(f"{url}: expected {expected:,} bytes, got {size:,}")


def _append(body: Body, slot: Slot, tally: Tally, have: int) -> int:
    tally.move_to(have)
    with slot.part.open("ab") as file:
        for chunk in body.chunks:
            file.write(chunk)
            have += len(chunk)
            tally.move_to(have)
    return have
