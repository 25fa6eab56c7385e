"""`manage.py reference fetch`: bring a reference from its publishers and build its bundle."""

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TextIO

from django.conf import settings


def add_fetch(parser: argparse.ArgumentParser) -> None:
    """The options of `reference fetch`."""
    parser.add_argument("name", nargs="?", help="a reference of the catalogue: GRCh38, GRCh37, GRCm39")
    parser.add_argument("--recipe", type=Path, metavar="FILE", help="a recipe of your own instead (TOML)")
    parser.add_argument("--chromosomes", type=_names, default=(), metavar="NAME,NAME", help="only these")
    parser.add_argument(
        "--with", dest="added", type=_names, default=(), metavar="SOURCE,SOURCE", help="add them"
    )
    parser.add_argument(
        "--without", dest="left_out", type=_names, default=(), metavar="SOURCE,SOURCE", help="leave them out"
    )
    parser.add_argument(
        "--release",
        type=_release,
        action="append",
        default=[],
        metavar="[SOURCE=]RELEASE",
        help="another release of genome and genes, or of one source (clinvar=20251101); may be repeated",
    )
    parser.add_argument(
        "--version", dest="bundle_version", help="the bundle's version (default: release and chromosomes)"
    )
    parser.add_argument("--plan", action="store_true", help="only say what would be fetched, and its size")
    parser.add_argument("--keep-downloads", action="store_true", help="keep the downloaded files")
    parser.add_argument(
        "--mirror",
        action="append",
        default=[],
        metavar="OFFICIAL=INSTEAD",
        help="read addresses that start with OFFICIAL from INSTEAD; may be repeated",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=settings.REFERENCES_DIR,
        metavar="DIR",
        help=f"the folder of bundles (default: {settings.REFERENCES_DIR})",
    )
    parser.add_argument(
        "--cache",
        type=Path,
        default=settings.STATE_DIR / "downloads",
        metavar="DIR",
        help=f"where downloads go, to be resumed (default: {settings.STATE_DIR / 'downloads'})",
    )


def fetch(options: dict[str, Any], stream: TextIO) -> None:
    """Do as the options say. Raises FetchError, BundleError."""
    from annotations.engine.fetching.addresses import Mirror
    from annotations.engine.fetching.cache import Cache
    from annotations.engine.fetching.display import Display
    from annotations.engine.fetching.errors import FetchError
    from annotations.engine.fetching.fetch import Fetcher
    from annotations.engine.fetching.http import Client
    from annotations.engine.fetching.plan import make_plan
    from annotations.engine.fetching.recipe import load_recipe

    if (options["name"] is None) == (options["recipe"] is None):
        raise FetchError(
            "Name a reference of the catalogue (such as GRCh38), or a recipe with --recipe FILE."
        )
    recipe = load_recipe(options["recipe"] or options["name"], dict(options["release"]))
    plan = make_plan(
        recipe,
        recipe.chosen_chromosomes(options["chromosomes"]),
        recipe.chosen_sources(options["added"], options["left_out"]),
    )
    display = Display(stream)
    client = Client(tuple(Mirror.parse(text) for text in options["mirror"]), report=display.report)
    try:
        fetcher = Fetcher(client, Cache(options["cache"]), options["output"], display)
        if options["plan"]:
            for line in fetcher.describe_in_words(plan):
                display.report(line)
        else:
            fetcher.fetch(plan, options["bundle_version"], options["keep_downloads"])
    except KeyboardInterrupt:
        raise FetchError("Stopped. Run the same command again: it goes on where it stopped.") from None
    finally:
        client.close()


def _names(text: str) -> tuple[str, ...]:
    return tuple(name for name in text.split(",") if name)


def _release(text: str) -> Iterable[str]:
    source, equals, release = text.rpartition("=")
    if not release or (equals and not source):
        raise argparse.ArgumentTypeError(f"expected RELEASE or SOURCE=RELEASE, found {text!r}")
    return source, release
