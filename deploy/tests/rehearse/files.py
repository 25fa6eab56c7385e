"""What else one does with files: a large upload in parts, an older result anew, links, exports, an audit."""

import json
import shutil
from functools import partial

from deploy.tests.rehearse.scene import Scene
from deploy.tests.rehearse.stage import PART_BYTES
from deploy.tests.rehearse.visitor import Visitor


def handle_files(scene: Scene, visitor: Visitor, sample: bytes) -> None:
    """`visitor` has a tier that keeps results. What they made is gone in the end."""
    job = _upload_in_parts(scene, visitor, sample)
    _export(scene, visitor, job)
    _share(scene, visitor, job)
    newer = _annotate_anew(scene, visitor, job)
    for done in (job, newer):
        visitor.delete(done)


def _upload_in_parts(scene: Scene, visitor: Visitor, sample: bytes) -> str:
    content = _larger(sample, 2 * PART_BYTES)
    given_up = visitor.begin_parts("given-up.vcf", content)
    visitor.send_part(given_up, content, 1)
    visitor.ask("DELETE", f"/uploads/{given_up}")
    upload = visitor.begin_parts("in-parts.vcf", content)
    visitor.send_part(upload, content, 2)
    assert [part["number"] for part in visitor.ask("GET", f"/uploads/{upload}")["parts"]] == [2]
    for number in (1, 3):
        visitor.send_part(upload, content, number)
    job = visitor.annotate_upload(upload)
    scene.wait("a large upload in parts is annotated", partial(visitor.result, job))
    return job


def _larger(sample: bytes, size_bytes: int) -> bytes:
    """With header lines that say nothing."""
    line = b"##padding=" + b"x" * 50_000 + b"\n"
    first, rest = sample.split(b"\n", 1)
    return first + b"\n" + line * (size_bytes // len(line) + 1) + rest


def _export(scene: Scene, visitor: Visitor, job: str) -> None:
    assert "GENE" in visitor.get(f"/jobs/{job}/result/").text.upper()
    export = visitor.ask("POST", f"/jobs/{job}/exports", {"format": "tsv"})["id"]
    scene.wait(
        "the export of a result is made",
        lambda: visitor.ask("GET", f"/jobs/{job}/exports/{export}")["is_over"],
    )
    lines = visitor.get(f"/jobs/{job}/result/exports/{export}/").text.splitlines()
    assert len(lines) > 1


def _share(scene: Scene, visitor: Visitor, job: str) -> None:
    visitor.get(f"/jobs/{job}/links/")
    page = visitor.post(f"/jobs/{job}/links/", {"days": "1", "note": "Charles"}).text
    address = scene.found(r'(http://[^"<\s]+/shared/[^"<\s]+)', page)
    guest = Visitor(visitor.site_url, "")
    assert guest.session.get(address, timeout=60).ok
    assert guest.result(job) == visitor.result(job)
    scene.say("somebody with a link has read a result")


def _annotate_anew(scene: Scene, visitor: Visitor, job: str) -> str:
    """With a version of the reference that came since."""
    references = scene.stage.folder / "references" / "demo"
    shutil.copytree(references / "1", references / ".2")
    manifest = references / ".2" / "manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"version": "2"}))
    (references / ".2").rename(references / "2")
    page = visitor.post(f"/jobs/{job}/anew/", {})
    newer = scene.found(r"/jobs/([0-9a-f-]{36})/", page.url)
    assert newer != job, page.text
    scene.wait("a result is annotated anew with a newer reference", partial(visitor.result, newer))
    return newer
