"""`audit evaluate` on 500 groups, some as odd as they come: nobody is dropped, nothing warns, the page stays whole."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_world import MANIFEST, POLICY, World

LONG = "x" * 10_000
ODD = (LONG, "<script>alert(1)</script>", "🫀 Zoë", "line\nbreak", "", "a=b, c", "\x1b[31mred", "one row", "one person")
RULES = """\
  - {metric: recall, class: alarm, max_drop: 0.5, groups: [overall, site]}
  - {metric: accuracy, max_gap: 0.5, groups: [site]}
  - {metric: equalized_odds_difference, max: 0.9, groups: [site]}
  - {metric: f1, class: calm, min: 0.1, groups: [sex]}
  - {metric: auc, class: alarm, min: 0.1, groups: [sex]}
"""


def odd_sites(rows: int) -> np.ndarray:
    """A site for each row: the odd ones and enough plain ones to make 500; one has one row, another one person."""
    sites = np.array([f"site {number}" for number in range(500 - len(ODD))])[np.arange(rows) % (500 - len(ODD))]
    sites = sites.astype("<U10000")
    sites[: 40 * len(ODD)] = np.array(ODD)[np.arange(40 * len(ODD)) % len(ODD)]
    sites[sites == "one row"] = "site 1"
    sites[0] = "one row"
    sites[sites == "one person"] = "site 2"
    sites[-60:] = "one person"
    return sites


def write_world(folder: Path, world: World) -> None:
    for name in ("train", "calibration", "evaluation"):
        data = dict(np.load(world.folder / f"{name}.npz"))
        rows = len(data["y"])
        data["site"] = odd_sites(rows) if name == "evaluation" else np.full(rows, "site 1")
        np.savez_compressed(folder / f"{name}.npz", **data)
    (folder / "dataset.yaml").write_text(MANIFEST.replace("groups:\n", "groups:\n  site: {column: site}\n"))
    policy = re.sub(r"fairness:\n(  .*\n)+", "fairness:\n" + RULES, POLICY).split("seal:")[0]
    (folder / "policy.yaml").write_text(policy + "statistics: {min_group_size: 1}\n")
    shutil.copy(world.model, folder / "model.h5")


@pytest.fixture(scope="module")
def run(world: World, tmp_path_factory: pytest.TempPathFactory) -> tuple[subprocess.CompletedProcess[str], Path]:
    folder = tmp_path_factory.mktemp("odd")
    write_world(folder, world)
    command = [
        sys.executable,
        "-m",
        "audit_pipeline",
        "evaluate",
        "model.h5",
        "--policy",
        "policy.yaml",
        "--run",
        "odd",
    ]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, env=os.environ | {"COLUMNS": "120"}
    )
    return done, folder / "reports" / "odd"


@pytest.fixture(scope="module")
def evidence(run: tuple[subprocess.CompletedProcess[str], Path]) -> Any:
    done, folder = run
    assert done.returncode in (1, 3), done.stdout + done.stderr
    return json.loads((folder / "evidence.json").read_text())


def test_nothing_warns_and_nothing_breaks(run: tuple[subprocess.CompletedProcess[str], Path], evidence: Any) -> None:
    done, _ = run
    said = done.stdout + done.stderr
    assert not re.search(r"warning|traceback|nan\b|divi(de|sion)|\x1b\[31mred", said, re.IGNORECASE)


def test_each_of_five_hundred_groups_is_there_and_told(evidence: Any) -> None:
    sites = {row["group"]["values"][0]: row for row in evidence["groups"] if row["group"]["by"] == ["site"]}
    assert len(sites) == 500
    assert "unknown" in sites
    assert sum(row["rows"] for row in sites.values()) == 1440
    assert {"<script>alert(1)</script>", "🫀 Zoë", "line\nbreak", "a=b, c"} <= set(sites)
    assert any(re.fullmatch(r"x{100}… \(10000 characters, SHA-256 [0-9a-f]{16}\)", site) for site in sites)
    assert (sites["one row"]["rows"], sites["one person"]["rows"], sites["one person"]["subjects"]) == (1, 60, 1)
    drops = [finding for finding in evidence["findings"] if finding["id"].startswith("fairness.recall.alarm.max_drop")]
    assert len(drops) == len({finding["id"] for finding in drops}) == 501
    assert all(finding["reason"] for finding in drops)
    assert {finding["outcome"] for finding in drops if "one row" in finding["id"]} == {"INCONCLUSIVE"}
    assert {finding["outcome"] for finding in drops if "one person" in finding["id"]} <= {"INCONCLUSIVE", "PASS"}


def test_the_page_holds_no_markup_of_theirs(run: tuple[subprocess.CompletedProcess[str], Path], evidence: Any) -> None:
    _, folder = run
    for name in ("report.html", "report.md"):
        page = (folder / name).read_text()
        assert "<script>alert(1)" not in page
        assert "\x1b" not in page
