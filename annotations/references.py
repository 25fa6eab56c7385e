"""The reference bundles that this service has: REFERENCES_DIR/NAME/VERSION."""

import re
from pathlib import Path

import structlog
from django.conf import settings

from annotations.engine.bundle import BundleError, ReferenceBundle

log = structlog.get_logger(__name__)


def available() -> list[ReferenceBundle]:
    """Every bundle that can be opened: names in alphabetical order, the newest version of each first."""
    bundles = [bundle for folder in _folders() if (bundle := _opened(folder))]
    bundles.sort(key=lambda bundle: _natural(bundle.version), reverse=True)
    return sorted(bundles, key=lambda bundle: _natural(bundle.name))


def find(reference: str) -> ReferenceBundle | None:
    """The bundle that NAME/VERSION stands for."""
    return next((bundle for bundle in available() if label(bundle) == reference), None)


def newer_than(reference: str) -> str | None:
    """NAME/VERSION of the newest bundle of the same name, where it is newer than this NAME/VERSION."""
    name, _, version = reference.partition("/")
    newest = next((bundle for bundle in available() if bundle.name == name), None)
    if newest is None or _natural(newest.version) <= _natural(version):
        return None
    return label(newest)


def label(bundle: ReferenceBundle) -> str:
    """NAME/VERSION, as a job keeps it."""
    return f"{bundle.name}/{bundle.version}"


def sample(name: str) -> Path | None:
    """A VCF to try the bundles of this name with: REFERENCES_DIR/NAME/NAME.vcf, where there is one."""
    if all(bundle.name != name for bundle in available()):
        return None
    path: Path = settings.REFERENCES_DIR / name / f"{name}.vcf"
    return path if path.is_file() else None


def _folders() -> list[Path]:
    return sorted(manifest.parent for manifest in settings.REFERENCES_DIR.glob("[!.]*/[!.]*/manifest.json"))


def _opened(folder: Path) -> ReferenceBundle | None:
    try:
        bundle = ReferenceBundle.open(folder)
    except (BundleError, OSError) as error:
        log.warning("reference_left_out", folder=str(folder), error=str(error))
        return None
    if label(bundle) != f"{folder.parent.name}/{folder.name}":
        # A job keeps NAME/VERSION and is annotated from that folder: the two must be the same.
        log.warning("reference_left_out", folder=str(folder), error=f"the manifest says {label(bundle)}")
        return None
    return bundle


def _natural(text: str) -> list[tuple[int, str]]:
    """Sorts 9 before 110: digits count as numbers."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", text)]
