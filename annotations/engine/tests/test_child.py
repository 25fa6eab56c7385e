"""Children of the engine are bound, and leave nothing behind."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from annotations.engine.child import Limits, Step, run, run_all, run_bcftools
from annotations.engine.errors import EngineFailure


def test_a_bcftools_step_writes_its_output_in_a_child(tmp_path: Path) -> None:
    vcf = tmp_path / "in.vcf"
    vcf.write_text(
        "##fileformat=VCFv4.2\n##contig=<ID=1>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n1\t7\t.\tA\tC\t.\t.\t.\n"
    )
    out = tmp_path / "out.vcf"
    run_bcftools(["view", "-H", "-o", str(out), str(vcf)], tmp_path)
    assert out.read_text().split("\t")[:2] == ["1", "7"]


def test_a_failing_step_says_what_bcftools_said(tmp_path: Path) -> None:
    with pytest.raises(EngineFailure, match=r"bcftools view failed.*missing\.vcf"):
        run_bcftools(["view", str(tmp_path / "missing.vcf")], tmp_path)


def test_a_step_over_its_time_is_killed(tmp_path: Path) -> None:
    fifo = tmp_path / "never-written.vcf"
    os.mkfifo(fifo)
    with pytest.raises(EngineFailure, match=r"did not end within 0\.3 seconds"):
        run_bcftools(["view", str(fifo)], tmp_path, Limits(timeout_seconds=0.3))


def test_a_failure_ends_the_steps_beside_it(tmp_path: Path) -> None:
    fifo = tmp_path / "never-written.vcf"
    os.mkfifo(fifo)
    steps = [Step("bcftools", ("view", str(fifo))), Step("bcftools", ("view", str(tmp_path / "missing.vcf")))]
    with pytest.raises(EngineFailure, match=r"missing\.vcf"):
        run_all(steps, tmp_path, at_once=2)


def test_a_step_that_writes_too_much_fails(tmp_path: Path) -> None:
    source = tmp_path / "in.vcf"
    records = "".join(f"1\t{position}\t.\tA\tC\t.\t.\t.\n" for position in range(1, 5000))
    source.write_text(
        f"##fileformat=VCFv4.2\n##contig=<ID=1>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n{records}"
    )
    step = Step(
        "bcftools", ("view", "-o", str(tmp_path / "out.vcf"), str(source)), Limits(file_size_bytes=1000)
    )
    with pytest.raises(EngineFailure):
        run(step, tmp_path)


def test_a_child_dies_with_its_parent(tmp_path: Path) -> None:
    fifo = tmp_path / "child.vcf"
    os.mkfifo(fifo)
    script = textwrap.dedent(
        f"""
        from pathlib import Path
        from annotations.engine.child import run_bcftools
        run_bcftools(["view", {str(fifo)!r}], Path({str(tmp_path)!r}))
        """
    )
    with (
        subprocess.Popen([sys.executable, "-c", script]) as parent,
        fifo.open("wb", buffering=0) as write_end,  # opens once the child reads
    ):
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()
        with pytest.raises(BrokenPipeError):
            while True:  # until the kernel has ended the reader; the pipe fills at 64 KB and then blocks
                write_end.write(b"#" * 4096)
