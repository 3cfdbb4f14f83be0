"""A million altered inputs over everything that reads a seal: nothing but a clear refusal may come of any of them.

What is read from strangers before anything is known of it gets the largest share. YAML costs milliseconds an input and
so gets a smaller one. A share that reaches few of the error codes a parser has would prove little, so they are
counted: codes are taken from the parsers' source (`fuzz.codes`), those that no input can cause are left out by name.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from benchmarks.fuzz.block import KILLED_AFTER_S, SLOW_S
from benchmarks.fuzz.campaign import Report, run
from benchmarks.seal_material import lacking_for_host
from benchmarks.table import RESULTS, Row, conclude

PLAN = {
    "images": 350_000,
    "tlvs": 200_000,
    "envelopes": 150_000,
    "statements": 100_000,
    "private_keys": 50_000,
    "public_keys": 50_000,
    "trust": 50_000,
    "waivers": 50_000,
    "token_uris": 50_000,
    "device": 20_000,
}
"""Inputs for each parser; the last is the C verifier, where this machine can build it."""
_NAMES = {
    "images": "images",
    "tlvs": "TLVs",
    "envelopes": "DSSE envelopes",
    "statements": "in-toto statements",
    "private_keys": "private key files",
    "public_keys": "public key files",
    "trust": "trust.yaml",
    "waivers": "waivers",
    "token_uris": "pkcs11: URIs",
    "device": "C verifier",
}
_SEED = 5
_CODES = 0.9
_MEMORY_MB = 512
_MESSAGE = 20_000


def rows(plan: dict[str, int] = PLAN) -> list[Row]:
    """Run the campaign; inputs that show a defect are left in `results/seal_fuzz`."""
    lacking = lacking_for_host()
    if lacking is not None:
        print(f"the C verifier is left out: {lacking}")
        plan = {name: inputs for name, inputs in plan.items() if name != "device"}
    start = time.perf_counter()
    reports = run(plan, processes=max(1, min(3, os.cpu_count() or 1)), seed=_SEED)
    minutes = (time.perf_counter() - start) / 60
    _keep(reports)
    _tell(reports)
    every = reports.values()
    return [
        Row("fuzzed inputs", sum(report.inputs for report in every), "", at_least=sum(plan.values())),
        *(Row(f"  of them {_NAMES[name]}", report.inputs, "", at_least=plan[name]) for name, report in reports.items()),
        Row(
            "defects: exceptions, hangs, inputs wrongly taken",
            sum(len(report.findings) for report in every),
            "",
            at_most=0,
        ),
        Row(
            f"slowest input, processor time; none waited {KILLED_AFTER_S} s",
            max(report.slowest for report in every),
            "s",
            at_most=SLOW_S,
        ),
        Row("most memory of a process", max(report.peak_bytes for report in every) / 2**20, "MiB", at_most=_MEMORY_MB),
        Row("longest message", max(report.longest_message for report in every), "chars", at_most=_MESSAGE),
        *(_reached(name, report) for name, report in reports.items()),
        Row("the whole campaign, on up to 3 processes", minutes, "min", at_most=30),
    ]


def _reached(name: str, report: Report) -> Row:
    known = len(report.codes)
    what = f"{_NAMES[name]}: share of its {known} error codes reached"
    return Row(what, 1 - len(report.unreached) / known if known else 0, "", at_least=_CODES)


def _tell(reports: dict[str, Report]) -> None:
    """What has no bar: speed, and which codes were not reached."""
    for name, report in reports.items():
        speed = report.inputs / report.seconds if report.seconds else 0
        unreached = ", ".join(report.unreached) or "none"
        print(f"{_NAMES[name]}: {speed:,.0f} a second of our processor time; not reached: {unreached}")


def _keep(reports: dict[str, Report]) -> None:
    folder = RESULTS / "seal_fuzz"
    for name, report in reports.items():
        for number, finding in enumerate(report.findings):
            folder.mkdir(parents=True, exist_ok=True)
            Path(folder, f"{name}-{number}").write_bytes(finding.data)
            print(f"{name}-{number}: {finding.what}")


def main() -> None:
    """Fuzz and print the table."""
    conclude("seal_fuzz", rows())


if __name__ == "__main__":
    main()
