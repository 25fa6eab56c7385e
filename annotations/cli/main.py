"""The arguments of `gas`, and how it ends."""

import argparse
import signal
import sys
from collections.abc import Sequence

from annotations.cli import commands
from annotations.cli.errors import INTERRUPTED, CommandError, Stopped

KINDS = ("result", "index", "table", "log")
EPILOG = """exit codes: 0 all well; 1 a file or job failed; 2 wrong arguments, or not logged in;
3 the service did not answer; 130 interrupted"""


def main(arguments: Sequence[str] | None = None) -> int:
    given = parser().parse_args(arguments)
    if "output" in given and given.files is None:
        given.files = ("result",) if given.output == "-" else KINDS
    # A shell that ends, or `timeout`, asks for the same as Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return int(given.do(given))
    except CommandError as error:
        print(f"gas: {error}", file=sys.stderr)
        return error.exit_code
    except (KeyboardInterrupt, Stopped):
        print(f"gas: {commands.GO_ON}", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        return INTERRUPTED


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="gas",
        description="Annotate VCF files with the Genomics Annotation Service.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", action="store_true", help="print JSON, and nothing on the way")
    common.add_argument("-q", "--quiet", action="store_true", help="say nothing on the way")
    common.add_argument(
        "--patience",
        type=float,
        default=600,
        metavar="SECONDS",
        help="how long to go on without an answer (600)",
    )
    add = top.add_subparsers(required=True, metavar="COMMAND")

    login = add.add_parser(
        "login", parents=[common], help="keep a token for next time; it is asked for, or read"
    )
    login.add_argument("url", nargs="?", help="the service, as https://gas.example.org")
    login.set_defaults(do=commands.login)
    add.add_parser("logout", parents=[common], help="forget the token").set_defaults(do=commands.logout)

    annotate = add.add_parser("annotate", parents=[common], help="from files to results")
    _sends(annotate)
    _saves(annotate)
    annotate.set_defaults(do=commands.annotate)
    submit = add.add_parser("submit", parents=[common], help="send files, and print the ids of their jobs")
    _sends(submit)
    submit.set_defaults(do=commands.submit)

    status = add.add_parser("status", parents=[common], help="how far jobs are")
    status.add_argument("jobs", nargs="+", metavar="JOB")
    status.add_argument("--wait", action="store_true", help="until they are over")
    status.set_defaults(do=commands.status)
    download = add.add_parser("download", parents=[common], help="fetch the files of completed jobs")
    download.add_argument("jobs", nargs="+", metavar="JOB")
    _saves(download)
    download.set_defaults(do=commands.download)
    cancel = add.add_parser("cancel", parents=[common], help="stop jobs")
    cancel.add_argument("jobs", nargs="+", metavar="JOB")
    cancel.set_defaults(do=commands.cancel)

    listed = add.add_parser("list", parents=[common], help="your jobs, the newest first")
    listed.add_argument("--limit", type=int, default=25)
    listed.add_argument("--status", choices=["PENDING", "RUNNING", "COMPLETED", "FAILED", "CANCELLED"])
    listed.set_defaults(do=commands.list_jobs)
    add.add_parser("references", parents=[common], help="what there is to annotate against").set_defaults(
        do=commands.references
    )
    add.add_parser("usage", parents=[common], help="your tier, and how much of it is used").set_defaults(
        do=commands.usage
    )
    return top


def _sends(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "files_in", nargs="+", metavar="FILE", help="a VCF, - for standard input, or an https address"
    )
    parser.add_argument("-r", "--reference", help="NAME/VERSION; left out where the service has only one")
    parser.add_argument(
        "--haplotype-aware", action="store_true", help="judge variants of a haplotype together"
    )
    parser.add_argument("--name", help="what to call standard input (stdin.vcf)")
    parser.add_argument(
        "-j", "--at-once", type=int, default=3, metavar="N", help="files at the same time (3)"
    )


def _saves(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-o", "--output", default=".", metavar="FOLDER", help="where to; - for standard output"
    )
    parser.add_argument(
        "--files",
        type=_kinds,
        default=None,
        help=f"which: {','.join(KINDS)} (all; to standard output: result)",
    )


def _kinds(text: str) -> tuple[str, ...]:
    kinds = tuple(text.split(","))
    if unknown := [kind for kind in kinds if kind not in KINDS]:
        raise argparse.ArgumentTypeError(f"there is no {unknown[0]!r}; there are {', '.join(KINDS)}")
    return kinds
