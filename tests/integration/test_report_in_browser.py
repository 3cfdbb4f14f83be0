"""The report in a real browser: it shows its verdict without network or scripts, and fits its window."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from audit_pipeline.ship import Shipped

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
QUIET = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-quic"]

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")


def browse(page: Path, profile: Path, *options: str) -> subprocess.CompletedProcess[str]:
    assert CHROMIUM is not None
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", *QUIET]
    # Everything but the file itself is unreachable, so whatever the page would load is an error in the log.
    command += [f"--user-data-dir={profile}", "--host-resolver-rules=MAP * ~NOTFOUND", "--enable-logging=stderr"]
    return subprocess.run([*command, *options, page.as_uri()], capture_output=True, text=True, timeout=120, check=True)


@pytest.mark.parametrize("which", ["sealed", "refused"])
def test_the_page_shows_its_verdict_and_loads_nothing(
    which: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    shipped: Shipped = request.getfixturevalue(which)
    seen = browse(shipped.folder / "report.html", tmp_path / "profile", "--dump-dom")
    verdict = {"sealed": "SEALED", "refused": "REFUSED"}[which]
    assert verdict in seen.stdout
    assert seen.stdout.index(verdict) < seen.stdout.index("<table")
    assert "CONSOLE" not in seen.stderr


def test_the_page_draws_something_on_a_phone(sealed: Shipped, tmp_path: Path) -> None:
    picture = tmp_path / "page.png"
    options = (f"--screenshot={picture}", "--window-size=500,900")
    browse(sealed.folder / "report.html", tmp_path / "profile", *options)
    assert picture.read_bytes().startswith(b"\x89PNG")
    # A blank page of this size compresses to a few kB.
    assert picture.stat().st_size > 15_000
