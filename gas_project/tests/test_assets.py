"""The browser's libraries: what is served is pinned, and what is pinned has its hash."""

import json
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders

from gas_project.assets.install import SERVED

ASSETS = Path(settings.ASSETS_DIR).parent


def test_every_library_that_is_served_is_pinned_with_its_hash():
    wanted = json.loads((ASSETS / "package.json").read_text())["dependencies"]
    locked = json.loads((ASSETS / "package-lock.json").read_text())["packages"]
    assert {source.partition("/")[0] for source in SERVED.values()} == set(wanted)
    for name, version in wanted.items():
        assert locked[f"node_modules/{name}"]["version"] == version
    assert all("integrity" in package for name, package in locked.items() if name)


@pytest.mark.skipif(not settings.HAS_ASSETS, reason="the browser's libraries are not installed: make assets")
def test_only_the_files_that_pages_load_are_served():
    assert all(finders.find(f"vendor/{name}") for name in SERVED)
    igv = (settings.ASSETS_DIR / "vendor" / "igv.js").read_text()
    assert igv.count('document.createElement("template")') == 2, "its inline styles are taken out as before"
    assert 'createElement("style")' not in igv and '<hr style="' not in igv
    assert {path.name for path in (settings.ASSETS_DIR / "vendor").iterdir()} == {*SERVED, ".installed"}
