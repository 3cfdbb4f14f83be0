"""`audit release`: a run that did not pass, decided again under the waivers that its trail holds, and sealed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from audit_pipeline.cli.clock import new_run_name, now
from audit_pipeline.cli.console import JsonFlag, say, show
from audit_pipeline.cli.log_trust_option import read_log_trust
from audit_pipeline.cli.next_steps import demanded_approvals, say_next_steps
from audit_pipeline.cli.passphrase import PassphraseFd, read_passphrase
from audit_pipeline.cli.ship import PolicyOption, ReportsOption, RunOption
from audit_pipeline.cli.trail_place import DEFAULT_TRAIL, TrailOption
from audit_pipeline.cli.trust_option import PeopleTrustOption, RootOption, read_trust_file

if TYPE_CHECKING:
    from audit_pipeline.waived_release import Released


def release(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a run that did not pass.")],
    policy: PolicyOption,
    trust: PeopleTrustOption = None,
    root: RootOption = None,
    trail: TrailOption = DEFAULT_TRAIL,
    run: RunOption = None,
    reports: ReportsOption = Path("reports"),
    passphrase_fd: PassphraseFd = None,
    as_json: JsonFlag = False,
) -> None:
    """Decide a refused run again under waivers, and seal it as a new run; nothing is measured again.

    The waivers are those in the trail for its model and policy, made by `audit waive`. The trust file says who may
    waive. The refused run stays what it is.
    """
    from audit_pipeline.gate.demands import Demands
    from audit_pipeline.gate.judge import require_run
    from audit_pipeline.waived_release import WaivedRequest, release_waived

    require_run(folder)
    at = now()
    believed = read_trust_file(trust, root, trail=trail, now=at)
    demands = Demands(believed.trust, at, log=read_log_trust(None, None, None, None, believed.document))
    request = WaivedRequest(folder, run or new_run_name(policy.stem), policy, reports, trail)
    released = release_waived(
        request, demands, now=now, passphrase=lambda key: read_passphrase(passphrase_fd, purpose=str(key))
    )
    _show(released, folder.name, as_json=as_json)
    say_next_steps(released.evidence, released.folder, trail, trust=trust, roots=root)


def _show(released: Released, of_run: str, *, as_json: bool) -> None:
    from rich.markup import escape

    evidence, image = released.evidence, released.folder / "firmware.bin"
    summary: dict[str, Any] = {
        "run": evidence.run.id,
        "of_run": of_run,
        "folder": str(released.folder),
        "verdict": evidence.verdict.model_dump(mode="json"),
        "waivers": [waiver.model_dump(mode="json") for waiver in evidence.waivers],
        "left_over": list(released.left_over),
        "approvals_demanded": demanded_approvals(evidence),
        "image": str(image),
    }
    lines = [
        f"[bold]{evidence.verdict.outcome}[/] under waivers {escape(evidence.run.id)}, measured as {escape(of_run)}"
    ]
    lines += [f"  waived: {escape(use.reason)}" for use in evidence.verdict.waived]
    lines += [f"  not needed or not enough: {escape(line)}" for line in released.left_over]
    show(summary, "\n".join(lines), as_json=as_json)
    say(f"image:  {image}")
