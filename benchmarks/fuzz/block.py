"""One process of the campaign: so many inputs of one parser. Run as `python -m benchmarks.fuzz.block`.

The process may be killed by an alarm or run into its limit of memory; that is its purpose. The last input stands in
a file that outlives it.
"""

from __future__ import annotations

import argparse
import base64
import importlib
import json
import mmap
import resource
import signal
import tempfile
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.fuzz.byte_edits import LARGEST
from benchmarks.fuzz.target import Target
from benchmarks.fuzz.watch import Watch, Wrong

KILLED_AFTER_S = 10
LAST_BYTES = LARGEST + 8
SLOW_S = 1.0
_MEMORY_BYTES = 1 << 30
_ASK_AGAIN_S = 0.3
_KEPT = 400
_KEPT_BYTES = 1 << 14


@dataclass
class Findings:
    """Defects, each kind of them once, with the smallest input that shows it."""

    seen: dict[str, tuple[int, bytes]] = field(default_factory=dict)

    def add(self, what: str, data: bytes) -> None:
        """Count a defect."""
        count, smallest = self.seen.get(what, (0, data))
        self.seen[what] = count + 1, min(smallest, data, key=len)

    def to_json(self) -> list[dict[str, Any]]:
        """As the report holds them."""
        return [
            {"what": what, "count": count, "input": base64.b64encode(data).decode()}
            for what, (count, data) in self.seen.items()
        ]


def target_of(name: str) -> Target:
    """The target of a module of `targets`."""
    target: Target = importlib.import_module(f"benchmarks.fuzz.targets.{name}").target()
    return target


def fuzz(target: Target, seed: str, inputs: int, last: mmap.mmap | None = None) -> dict[str, Any]:
    """Give a parser altered samples, and keep those that were refused in a new way to be altered further.

    Args:
        target: the parser.
        seed: of the random numbers.
        inputs: how many.
        last: where the input that is being read is noted; an alarm then ends the process if it takes too long.
    """
    draw, watch, findings = Random(seed), Watch(), Findings()
    kept: list[bytes] = []
    slowest, start = 0.0, time.process_time()
    for _ in range(inputs):
        base = draw.choice(kept) if kept and draw.random() < 0.3 else draw.choice(target.samples)
        data = target.alter(draw, base, target.samples)[:LARGEST]
        if last is not None:
            last[: len(data) + 8] = len(data).to_bytes(8, "little") + data
            signal.setitimer(signal.ITIMER_REAL, KILLED_AFTER_S)
        took = _seconds(target, watch, data, findings)
        slowest = max(slowest, took)
        if took > SLOW_S:
            findings.add(f"takes more than {SLOW_S:g} s", data)
        if watch.took_news() and len(kept) < _KEPT and len(data) < _KEPT_BYTES:
            kept.append(data)
    return {
        "inputs": inputs,
        "seconds": time.process_time() - start,
        "slowest": slowest,
        "longest_message": watch.longest_message,
        "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10,
        "codes": {code: watch.codes[code] for code in sorted(target.codes)},
        "findings": findings.to_json(),
    }


def _seconds(target: Target, watch: Watch, data: bytes, findings: Findings) -> float:
    """Processor time of an input; one that seems slow is asked again, for it may have paid for memory of others.

    Waiting costs none: the alarm sees to that.
    """
    took = _judged(target, watch, data, findings)
    return min(took, _judged(target, watch, data, Findings())) if took > _ASK_AGAIN_S else took


def _judged(target: Target, watch: Watch, data: bytes, findings: Findings) -> float:
    start = time.process_time()
    try:
        target.judge(watch, data)
    except Wrong as wrong:
        findings.add(str(wrong), data)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        # Also what is no Exception, such as a panic of cryptography's Rust.
        frame = traceback.extract_tb(error.__traceback__)[-1]
        findings.add(f"{type(error).__name__} in {Path(frame.filename).name}, {frame.name}", data)
    return time.process_time() - start


def main() -> None:
    """Run one block and print its report as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target")
    parser.add_argument("seed")
    parser.add_argument("inputs", type=int)
    parser.add_argument("--last", type=Path, required=True, help="file for the input that is being read")
    given = parser.parse_args()
    given.last.write_bytes(bytes(LAST_BYTES))
    tempfile.tempdir = str(given.last.parent)  # whatever a target writes goes when the campaign is done with this
    target = target_of(given.target)
    resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY_BYTES, _MEMORY_BYTES))
    with given.last.open("r+b") as stream:
        report = fuzz(target, given.seed, given.inputs, mmap.mmap(stream.fileno(), LAST_BYTES))
    signal.setitimer(signal.ITIMER_REAL, 0)
    print(json.dumps(report))


if __name__ == "__main__":
    main()
