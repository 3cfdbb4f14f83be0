"""Many blocks on a few processes, and what came of them for every parser."""

from __future__ import annotations

import base64
import json
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from benchmarks.fuzz.block import KILLED_AFTER_S

_BLOCK = 12_500


@dataclass(frozen=True)
class Finding:
    """A defect and an input that shows it."""

    what: str
    data: bytes


@dataclass(frozen=True)
class Report:
    """What came of one parser's inputs."""

    inputs: int
    seconds: float
    """Of processor time, without what its blocks take to start."""
    slowest: float
    """Seconds of processor time for one input."""
    peak_bytes: int
    """Most memory that one of its processes had."""
    longest_message: int
    """Characters of an error."""
    codes: Mapping[str, int]
    """How often each error code of the parser was met, 0 included."""
    findings: tuple[Finding, ...]

    @property
    def unreached(self) -> tuple[str, ...]:
        """Codes that no input led to."""
        return tuple(code for code, times in self.codes.items() if not times)


def run(plan: Mapping[str, int], *, processes: int, seed: int) -> dict[str, Report]:
    """Fuzz every parser of a plan.

    Args:
        plan: inputs for each module of `targets`; the last is begun first, and best the slowest.
        processes: how many run at once.
        seed: every block's own seed comes of it.
    """
    blocks = [
        (name, f"{seed}/{start}", min(_BLOCK, inputs - start))
        for name, inputs in reversed(list(plan.items()))
        for start in range(0, inputs, _BLOCK)
    ]
    with ThreadPoolExecutor(processes) as pool:
        done = list(pool.map(lambda block: (block[0], _run_block(*block)), blocks))
    return {name: _sum(report for of, report in done if of == name) for name in plan}


def _run_block(name: str, seed: str, inputs: int) -> Report:
    with tempfile.TemporaryDirectory() as folder:
        last = Path(folder, "last")
        ran = subprocess.run(
            [sys.executable, "-m", "benchmarks.fuzz.block", name, f"{name}/{seed}", str(inputs), "--last", str(last)],
            stdout=subprocess.PIPE,
            check=False,
        )
        if ran.returncode == 0:
            return _report(ran.stdout)
        data = last.read_bytes()
    died = (
        f"no answer in {KILLED_AFTER_S} s"
        if ran.returncode == -signal.SIGALRM
        else f"the process ended with {ran.returncode}"
    )
    size = int.from_bytes(data[:8], "little")
    return Report(0, 0, 0, 0, 0, {}, (Finding(died, data[8 : 8 + size]),))


def _report(text: bytes) -> Report:
    found = json.loads(text)
    findings = tuple(Finding(each["what"], base64.b64decode(each["input"])) for each in found.pop("findings"))
    return Report(**found, findings=findings)


def _sum(reports: Iterable[Report]) -> Report:
    all_of = list(reports)
    codes: Counter[str] = Counter()
    for report in all_of:
        codes.update(report.codes)
    return Report(
        inputs=sum(report.inputs for report in all_of),
        seconds=sum(report.seconds for report in all_of),
        slowest=max(report.slowest for report in all_of),
        peak_bytes=max(report.peak_bytes for report in all_of),
        longest_message=max(report.longest_message for report in all_of),
        codes=codes,
        findings=tuple({finding.what: finding for report in all_of for finding in report.findings}.values()),
    )
