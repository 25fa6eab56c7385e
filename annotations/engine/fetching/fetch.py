"""From a recipe to a bundle: ask for sizes, make sure of the room, download, verify, build."""

import io
import shutil
import zlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from annotations.engine.building import build_bundle
from annotations.engine.building.known_header import choose_fields, read_header
from annotations.engine.bundle import BundleError, ReferenceBundle
from annotations.engine.fetching import checksums
from annotations.engine.fetching.addresses import file_name
from annotations.engine.fetching.assembly import Fetched, bundle_recipe
from annotations.engine.fetching.cache import Cache, Download
from annotations.engine.fetching.checksums import Checksum
from annotations.engine.fetching.download import Downloads, Meter
from annotations.engine.fetching.errors import FetchError
from annotations.engine.fetching.http import Client, RemoteFile
from annotations.engine.fetching.plan import Plan, PlannedFile
from annotations.engine.fetching.regions import (
    INDEX_LIMIT_BYTES,
    Span,
    byte_ranges,
    fetch_spans,
    spans_by_contig,
    spans_to_read,
)
from annotations.engine.fetching.space import BUNDLE_SHARE, Need, check_space, readable_size

HEADER_BYTES = 4 << 20  # of a compressed VCF, in which its header ends


class Display(Protocol):
    """What is told to the user."""

    def report(self, message: str) -> None: ...
    def meter(self, total_bytes: int) -> AbstractContextManager[Meter]: ...


@dataclass(frozen=True)
class Described:
    """A planned file with what its server says: size and version, its checksum, the spans to read."""

    planned: PlannedFile
    remote: RemoteFile | None
    checksum: Checksum | None = None
    spans: tuple[Span, ...] | None = None

    @property
    def bytes(self) -> int:
        """To download, as far as the server says."""
        if self.remote is None:
            return 0
        if self.spans is not None:
            return sum(end - first for first, end in byte_ranges(self.remote, list(self.spans)))
        return self.remote.size_bytes or 0


@dataclass(frozen=True)
class Fetcher:
    """Fetches references into the folder `references`, by way of the download cache."""

    client: Client
    cache: Cache
    references: Path
    display: Display
    free_bytes: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free

    def describe(self, plan: Plan) -> list[Described]:
        """Ask the servers for every file of the plan, without downloading. Raises FetchError."""
        lists: dict[str, bytes] = {}
        described = [self._describe(planned, lists) for planned in plan.files]
        for source in plan.sources:
            # The files of one source have one header: its first file stands for them all.
            first = next(one for one in described if one.planned.role == source.name)
            if source.format == "vcf" and source.info and first.remote is not None:
                self._check_fields(first.remote, source.name, source.info)
        return described

    def describe_in_words(self, plan: Plan) -> list[str]:
        """A line for every file of the plan, with its size and how it will be verified, and their sum."""
        described = self.describe(plan)
        lines = [_in_words(one) for one in described]
        total = sum(one.bytes for one in described)
        left_out = [
            f"left out: {source.name} ({source.title})"
            for source in plan.recipe.sources
            if source not in plan.sources
        ]
        return [*lines, *left_out, f"in all {readable_size(total)}, for {plan.recipe.name}/{plan.version}"]

    def fetch(self, plan: Plan, version: str | None = None, keep_downloads: bool = False) -> ReferenceBundle:
        """Download what the plan needs and build the bundle `references`/<name>/<version>/.

        Raises FetchError or BundleError. A broken fetch leaves no bundle; what was downloaded stays in the
        cache, for the next time.
        """
        version = version or plan.version
        target = self.references / plan.recipe.name / version
        if target.exists():
            raise BundleError(f"{target} exists. Choose another --version, or remove the folder first.")
        with self.cache.held():
            # 1. Ask first: a wrong address or a full disk shows before hours of downloading.
            described = self.describe(plan)
            self._check_space(plan, described)
            # 2. Download and verify.
            fetched = self._download(described)
            # 3. Build, from links that bear the publishers' names.
            with self.cache.work_folder() as work:
                recipe = bundle_recipe(plan, fetched, version, work)
                bundle = build_bundle(recipe, self.references, self.display.report)
            if not keep_downloads:
                for one in fetched:
                    if one.download is not None:
                        self.cache.discard(one.path)
        return bundle

    def _describe(self, planned: PlannedFile, lists: dict[str, bytes]) -> Described:
        if planned.url is None:
            if planned.file is None or not planned.file.is_file():
                raise FetchError(
                    f"{planned.role}: {planned.file} is not there. The recipe names it as a file."
                )
            return Described(planned, None)
        remote = self.client.describe(planned.url)
        if planned.contigs is None or planned.index is None:
            return Described(planned, remote, self._checksum(planned, remote, lists))
        by_contig = spans_by_contig(self.client.read(planned.index, INDEX_LIMIT_BYTES), planned.index)
        missing = [name for name in planned.contigs if name not in by_contig]
        if len(missing) == len(planned.contigs):
            raise FetchError(
                f"{planned.url} has nothing on {', '.join(missing)}. Leave it out: --without {planned.role}"
            )
        if missing:
            self.display.report(f"{planned.role}: nothing on {', '.join(missing)}")
        return Described(planned, remote, None, tuple(spans_to_read(by_contig, planned.contigs)))

    def _checksum(self, planned: PlannedFile, remote: RemoteFile, lists: dict[str, bytes]) -> Checksum | None:
        where = planned.checksum
        if where is None:
            return None
        if where == "x-goog-hash":
            return checksums.in_goog_header(remote.headers, remote.url)
        if "://" not in where:
            return checksums.given(where)
        if where not in lists:
            lists[where] = self.client.read(where)
        return checksums.listed(lists[where], file_name(remote.url), where)

    def _check_fields(self, remote: RemoteFile, source: str, wanted: tuple[str, ...]) -> None:
        """Raise where the VCF's header lacks a field: before the file is downloaded, not when it is built."""

        def read_header_lines() -> bytes:
            with self.client.body(remote.url, 0, HEADER_BYTES) as body:
                start = text = b""
                for chunk in body.chunks:
                    start += chunk
                    text = _unpacked_start(start)
                    if b"\n#CHROM" in text or len(start) >= HEADER_BYTES:
                        break
                return text

        text = self.client.retried(read_header_lines)
        if b"\n#CHROM" in text:
            name = Path(file_name(remote.url))
            choose_fields(read_header(io.BytesIO(text), name), wanted, source, name)

    def _check_space(self, plan: Plan, described: list[Described]) -> None:
        formats = {source.name: source.format for source in plan.sources}
        needs = []
        for one in described:
            size = one.bytes or (one.planned.file.stat().st_size if one.planned.file else 0)
            share = BUNDLE_SHARE[formats.get(one.planned.role, one.planned.role)]
            here = self.cache.bytes_of(one.planned.url) if one.planned.url and one.spans is None else 0
            needs.append(Need(one.planned.title, max(0, one.bytes - here), round(size * share)))
        check_space(needs, self.cache.folder, self.references, self.free_bytes)

    def _download(self, described: list[Described]) -> list[Fetched]:
        total = sum(one.bytes for one in described)
        self.display.report(
            f"downloading {readable_size(total)} in {len(described)} files to {self.cache.folder}"
        )
        fetched = []
        with self.display.meter(total) as meter:
            downloads = Downloads(self.client, self.cache, meter, self.display.report)
            for one in described:
                fetched.append(self._download_one(downloads, one))
        return fetched

    def _download_one(self, downloads: Downloads, one: Described) -> Fetched:
        if one.remote is None:
            assert one.planned.file is not None  # noqa: S101 - for mypy: `_describe` has looked
            return Fetched(one.planned, one.planned.file, None)
        if one.spans is not None:
            path, download = fetch_spans(downloads, one.remote, list(one.spans))
        else:
            path, download = downloads.fetch(one.remote, one.checksum)
        self.display.report(f"{one.planned.title}: {readable_size(download.bytes)}, {_verified(download)}")
        return Fetched(one.planned, path, download)


def _in_words(one: Described) -> str:
    if one.remote is None:
        return f"{one.planned.title}: on this machine"
    part = f", only {', '.join(one.planned.contigs)}" if one.planned.contigs else ""
    size = readable_size(one.bytes) if one.remote.size_bytes is not None else "size not said"
    checked = one.checksum.kind if one.checksum else "no checksum of the publisher's"
    return f"{one.planned.role}: {one.remote.url}{part}: {size}, {checked}"


def _verified(download: Download) -> str:
    if download.checksum:
        return f"verified ({download.checksum.split()[0]})"
    if download.byte_ranges:
        return "every block's CRC verified (the publisher's checksum is of the whole file)"
    return f"its publisher gives no checksum; got sha256 {download.sha256}"


def _unpacked_start(start: bytes) -> bytes:
    """As much as can be unpacked of a file that begins so."""
    if not start.startswith(b"\x1f\x8b"):
        return start
    text = b""
    while start:
        unpacker = zlib.decompressobj(wbits=31)
        try:
            text += unpacker.decompress(start)
        except zlib.error:
            break
        start = unpacker.unused_data
        if b"\n#CHROM" in text:
            break
    return text
