"""A document that shows what a script prints: the script is run, and the document held against it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Walk:
    """A script of commands, and the document with blocks of them and of what they print."""

    script: Path
    document: Path
    daily_until: str
    """text of the script before which its daily part ends; it stands there once"""
    varying: tuple[tuple[str, str], ...]
    """patterns of what differs from run to run, and what is put in their place"""
    needs: tuple[str, ...] = ("bash",)
    """programs without which the test is skipped"""

    def printed(self, folder: Path, environment: Mapping[str, str] | None = None) -> str:
        """What the whole script prints."""
        return self._printed(self.script, folder, environment)

    def printed_daily(self, folder: Path, environment: Mapping[str, str] | None = None) -> str:
        """What its daily part prints."""
        example = Path(shutil.copytree(self.script.parent, folder / "example"))
        script, whole = example / self.script.name, self.script.read_text()
        assert whole.count(self.daily_until) == 1
        script.write_text(whole[: whole.index(self.daily_until)])
        return self._printed(script, folder / "walk", environment)

    def _printed(self, script: Path, folder: Path, environment: Mapping[str, str] | None) -> str:
        if lacking := [program for program in self.needs if shutil.which(program) is None]:
            pytest.skip(f"needs {' and '.join(lacking)}")
        beside_python = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", script, folder],
            env={**os.environ, "PATH": beside_python, **(environment or {})},
            capture_output=True,
            text=True,
            timeout=400,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr
        return done.stdout.replace(f"{folder.resolve()}/", "")

    def blocks(self) -> list[str]:
        """The document's blocks of commands with what they print."""
        return re.findall(r"```console\n(.*?)```", self.document.read_text(), re.S)

    def commands(self) -> list[str]:
        """Every command that the document shows."""
        return [line[2:] for block in self.blocks() for line in block.splitlines() if line.startswith("$ ")]

    def without_what_varies(self, text: str) -> str:
        """A text of today as it would be on any other day."""
        for pattern, put in self.varying:
            text = re.sub(pattern, put, text, flags=re.M)
        return text

    def require_shown(self, printed: str, *, of_daily: bool = False) -> int:
        """Hold the document's blocks against what was printed, in the daily part those that begin with a command of it.

        Returns:
            How many blocks were held.
        """
        real, typed = self.without_what_varies(printed), printed.splitlines()
        shown = [block for block in self.blocks() if not of_daily or block.splitlines()[0] in typed]
        for block in shown:
            if "left out:" in real and block.splitlines()[0] not in printed:
                continue  # the machine has no C compiler, or not every library
            assert self.without_what_varies(block) in real
        return len(shown)
