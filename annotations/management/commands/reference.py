"""`manage.py reference`: fetch, build, list and verify reference bundles."""

import argparse
import io
from pathlib import Path
from typing import Any, TextIO, cast

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotations.engine.bundle import BundleError, ReferenceBundle, bundle_folders
from annotations.engine.fetching.errors import FetchError
from annotations.management.fetching import add_fetch, fetch


class Command(BaseCommand):
    help = "Fetch, build, list and verify reference bundles."

    def add_arguments(self, parser: CommandParser) -> None:
        commands = parser.add_subparsers(dest="subcommand", required=True, metavar="COMMAND")
        add_fetch(commands.add_parser("fetch", help="fetch a reference from its publishers and build it"))
        _add_build(commands.add_parser("build", help="build a bundle from FASTA, GFF3 and VCFs"))
        listing = commands.add_parser("list", help="list the bundles of a folder")
        _add_folder(listing, "folder", nargs="?")
        verifying = commands.add_parser("verify", help="compare every file of a bundle with its checksum")
        verifying.add_argument("path", type=Path, help="the bundle's folder: DIR/NAME/VERSION")
        demo = commands.add_parser("demo", help="build a small made-up genome, with a VCF to annotate")
        _add_folder(demo, "--output")

    def handle(self, *args: Any, subcommand: str, **options: Any) -> None:
        try:
            getattr(self, f"_{subcommand}")(options)
        except (BundleError, FetchError) as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"{error}. Check the disk's space and the folder's rights.") from error

    def _fetch(self, options: dict[str, Any]) -> None:
        self.stdout.ending = ""  # the progress bar writes lines in pieces
        fetch(options, cast(TextIO, self.stdout) if options["verbosity"] else io.StringIO())

    def _build(self, options: dict[str, Any]) -> None:
        from annotations.engine.building import BundleRecipe, build_bundle

        recipe = BundleRecipe(
            name=options["name"],
            version=options["bundle_version"],
            fasta=options["fasta"],
            gff=options["gff"],
            known=tuple(options["known"]),
            id_sources=frozenset(options["ids"]) if options["ids"] is not None else None,
            genetic_codes=dict(options["genetic_code"]),
            description=options["description"],
        )
        build_bundle(recipe, options["output"], self._reporter(options))

    def _list(self, options: dict[str, Any]) -> None:
        folders = bundle_folders(options["folder"])
        if not folders:
            self.stdout.write(f"No reference bundles in {options['folder']}.")
        for folder in folders:
            try:
                self.stdout.write(_line_of(ReferenceBundle.open(folder)))
            except BundleError as error:
                self.stderr.write(str(error))

    def _verify(self, options: dict[str, Any]) -> None:
        bundle = ReferenceBundle.open(options["path"])
        problems = bundle.verify()
        if problems:
            found = "\n".join(f"  {problem}" for problem in problems)
            raise CommandError(
                f"{bundle.name}/{bundle.version} is damaged:\n{found}\nBuild it again, or bring back a copy."
            )
        self.stdout.write(f"{bundle.name}/{bundle.version} is whole, manifest SHA-256 {bundle.checksum}")

    def _demo(self, options: dict[str, Any]) -> None:
        from annotations.engine.demo import DEMO_NAME, DEMO_VERSION, build_demo, sample_of

        folder = options["output"] / DEMO_NAME / DEMO_VERSION
        report = self._reporter(options)
        if folder in bundle_folders(options["output"]):
            report(f"{folder} is there already")
        else:
            build_demo(options["output"], report)
        report(f"a VCF to annotate with it: {sample_of(options['output'])}")

    def _reporter(self, options: dict[str, Any]) -> Any:
        return self.stdout.write if options["verbosity"] else lambda _: None


def _add_build(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="the genome build, such as GRCh38")
    # Not --version alone as the destination: Django's own option of that name prints Django's version.
    parser.add_argument("--version", dest="bundle_version", required=True, help="such as Ensembl's release")
    parser.add_argument("--fasta", type=Path, required=True, help="the genome's DNA: plain, gzip or BGZF")
    parser.add_argument("--gff", type=Path, required=True, help="gene models: Ensembl's GFF3, plain or gzip")
    parser.add_argument(
        "--known",
        type=_known,
        action="append",
        default=[],
        metavar="SOURCE=VCF[:FIELD,FIELD]",
        help="known variants, and the INFO fields to take (default: all); may be repeated",
    )
    parser.add_argument(
        "--ids",
        action="append",
        metavar="SOURCE",
        help="a source whose IDs go into the ID column (default: those with rs numbers); may be repeated",
    )
    parser.add_argument(
        "--genetic-code",
        type=_genetic_code,
        action="append",
        default=[],
        metavar="CONTIG=NUMBER",
        help="NCBI's number of a contig's genetic code (default: 2 for MT, else 1); may be repeated",
    )
    parser.add_argument("--description", default="", help="a line about it, for its users")
    _add_folder(parser, "--output")


def _add_folder(parser: argparse.ArgumentParser, name: str, **options: Any) -> None:
    parser.add_argument(
        name,
        type=Path,
        default=settings.REFERENCES_DIR,
        metavar="DIR",
        help=f"the folder of bundles (default: {settings.REFERENCES_DIR})",
        **options,
    )


def _known(text: str) -> Any:
    """SOURCE=VCF[:FIELD,FIELD]; a colon within the file's own name needs no fields after it."""
    from annotations.engine.building import KnownInput

    source, equals, rest = text.partition("=")
    if not equals or not source or not rest:
        raise argparse.ArgumentTypeError(f"expected SOURCE=VCF[:FIELD,FIELD], found {text!r}")
    path, colon, fields = rest.rpartition(":")
    if not colon or Path(rest).exists():
        return KnownInput(source, Path(rest))
    return KnownInput(source, Path(path), tuple(field for field in fields.split(",") if field))


def _genetic_code(text: str) -> tuple[str, int]:
    contig, equals, number = text.rpartition("=")
    if not equals or not contig or not number.isdigit():
        raise argparse.ArgumentTypeError(f"expected CONTIG=NUMBER, found {text!r}")
    return contig, int(number)


def _line_of(bundle: ReferenceBundle) -> str:
    sources = ", ".join(
        f"{source.name} {source.version}" if source.version else source.name
        for source in bundle.known_sources
    )
    bases = sum(contig.length for contig in bundle.contigs)
    return (
        f"{bundle.name}/{bundle.version}  {len(bundle.contigs)} contigs, {bases:,} bases; "
        f"known variants: {sources or 'none'}  {bundle.path}"
    )
