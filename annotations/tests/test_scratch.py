"""Temporary folders go with their process."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from annotations.scratch import remove_abandoned, scratch_folder

HOLDER = """
import sys
from django.conf import settings
settings.configure(STATE_DIR=sys.argv[1])
from annotations.scratch import scratch_folder
with scratch_folder() as folder:
    print(folder, flush=True)
    sys.stdin.read()
"""


def test_a_folder_in_use_stays_and_goes_at_the_end_of_its_use() -> None:
    with scratch_folder() as folder:
        assert remove_abandoned() == 0
        assert folder.is_dir()
    assert not folder.exists()


def test_the_folder_of_a_killed_process_is_removed_and_that_of_a_living_one_is_not(folders: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folders)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        folder = Path(process.stdout.readline().strip())
        (folder / "half.vcf").write_text("half")
        assert remove_abandoned() == 0
        os.kill(process.pid, signal.SIGKILL)
        process.wait(timeout=10)
    assert remove_abandoned() == 1
    assert not folder.exists()
