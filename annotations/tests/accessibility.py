"""What axe-core says of a page."""

from pathlib import Path
from typing import Any

from django.conf import settings

AXE = Path(settings.ASSETS_DIR).parent / "node_modules" / "axe-core" / "axe.min.js"


def faults(page: Any) -> list[str]:
    """What keeps somebody out: the serious and the critical faults, each with its element."""
    if not page.evaluate("window.axe !== undefined"):
        page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{one['id']}: {node['html'][:200]}"
        for one in found["violations"]
        if one["impact"] in {"serious", "critical"}
        for node in one["nodes"]
    ]
