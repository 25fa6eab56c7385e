"""What pyproject.toml can't say of the wheel: it has the engine's kernels, compiled.

They are for this machine, or for what KERNELS_FOR names ("Linux x86_64").
"""

import os
import subprocess
import sys
from pathlib import Path

from setuptools import setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent


class BuildWithKernels(build_py):
    def run(self) -> None:
        super().run()
        folder = Path(self.build_lib).resolve() / "annotations" / "engine" / "kernels"
        arguments = ["-m", "annotations.engine.kernels.build", str(folder)]
        subprocess.run(
            [sys.executable, *arguments, "--for", os.environ.get("KERNELS_FOR", "")], cwd=ROOT, check=True
        )


class PlatformWheel(bdist_wheel):
    """Of any Python, but of one kind of machine."""

    def finalize_options(self) -> None:
        super().finalize_options()
        self.root_is_pure = False

    def get_tag(self) -> tuple[str, str, str]:
        system, _, machine = os.environ.get("KERNELS_FOR", "").partition(" ")
        platform = f"{system.lower()}_{machine}" if machine else super().get_tag()[2]
        return "py3", "none", platform


setup(cmdclass={"build_py": BuildWithKernels, "bdist_wheel": PlatformWheel})
