"""Compile the kernels, with the C compiler that the package ziglang brings along.

    python -m annotations.engine.kernels.build [FOLDER] [--for "Linux x86_64"]

`make setup` runs it. The library's name has a checksum of the sources, so that it is made anew when these
change, and one of another state is never loaded.
"""

import argparse
import hashlib
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

SOURCES = Path(__file__).parent
TIMEOUT_SECONDS = 300
# Any processor of the kind, any Linux since glibc 2.17: a release is built on another host than it runs on.
_TARGETS = {
    "Linux x86_64": "x86_64-linux-gnu.2.17",
    "Linux aarch64": "aarch64-linux-gnu.2.17",
    "Darwin x86_64": "x86_64-macos",
    "Darwin arm64": "aarch64-macos",
}
# What C leaves undefined (an overflow, a shift too far) ends the process: a failed shard, and nothing worse.
FLAGS = (
    "-std=c11", "-O2", "-mcpu=baseline", "-fPIC", "-shared", "-s", "-Wall", "-Wextra", "-Wconversion",
    "-Werror", "-fsanitize=undefined", "-fsanitize-trap=undefined",
)  # fmt: skip


class KernelsNotBuilt(Exception):
    """Says what is missing, and what to do."""


def library_path(folder: Path = SOURCES) -> Path:
    """Where the library of these sources is, once it has been built."""
    checksum = hashlib.sha256(repr(FLAGS).encode())
    for path in sorted(SOURCES.glob("*.[ch]")):
        checksum.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return folder / f"libkernels-{checksum.hexdigest()[:16]}.so"


def build(folder: Path = SOURCES, system: str = "") -> Path:
    """Compile the library into `folder`, if it is not there yet. Raises KernelsNotBuilt.

    `system` is what it is for, one of _TARGETS, if not this machine.
    """
    path = library_path(folder)
    if path.exists():
        return path
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="kernels-", dir=folder) as scratch:
        made = Path(scratch) / path.name
        _compile(made, system or f"{platform.system()} {platform.machine()}")
        for old in folder.glob("libkernels-*.so"):
            old.unlink(missing_ok=True)
        made.replace(path)  # whoever builds at the same time makes the same
    return path


def _compile(library: Path, system: str) -> None:
    target = _TARGETS.get(system)
    if target is None:
        raise KernelsNotBuilt(f"The engine's kernels are built for {', '.join(_TARGETS)}; not for {system}.")
    sources = [str(source) for source in sorted(SOURCES.glob("*.c"))]
    # zig keeps what it has compiled of its own parts; with the environment, that goes too
    cache = dict.fromkeys(("ZIG_GLOBAL_CACHE_DIR", "ZIG_LOCAL_CACHE_DIR"), f"{sys.prefix}/zig-cache")
    done = subprocess.run(
        [sys.executable, "-m", "ziglang", "cc", "-target", target, *FLAGS, "-o", str(library), *sources],
        env=os.environ | cache,
        capture_output=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    if done.returncode:
        raise KernelsNotBuilt(
            "The engine's kernels could not be compiled. `make setup` installs the compiler, which is the "
            f"package ziglang. It said:\n{done.stderr.decode(errors='replace')}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", default=SOURCES)
    parser.add_argument("--for", dest="system", default="", help=f"one of {', '.join(_TARGETS)}")
    options = parser.parse_args()
    try:
        sys.stdout.write(f"{build(options.folder, options.system)}\n")
    except KernelsNotBuilt as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
