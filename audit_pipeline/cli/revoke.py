"""`audit revoke`: withdraw a release."""

from __future__ import annotations

from audit_pipeline.cli.clock import now
from audit_pipeline.cli.console import JsonFlag, show
from audit_pipeline.cli.passphrase import PassphraseFd
from audit_pipeline.cli.reviewer import KeyOption, ReasonOption, ReleaseArgument, command, open_signer, run_name
from audit_pipeline.cli.trail_place import DEFAULT_TRAIL, TrailOption

_IN_THE_FIELD = (
    "no gate lets it pass any more; devices that have it run it until they take another: "
    "ship one that holds, with a higher security counter"
)


def revoke(
    run: ReleaseArgument,
    reason: ReasonOption,
    key: KeyOption,
    trail: TrailOption = DEFAULT_TRAIL,
    passphrase_fd: PassphraseFd = None,
    as_json: JsonFlag = False,
) -> None:
    """Withdraw a release, with any key: from now on `audit gate` refuses it. This is not taken back."""
    from rich.markup import escape

    from audit_pipeline.review.withdrawing import prepare_revocation
    from audit_pipeline.seal.keys.forms import fingerprint

    name = run_name(run)
    withdrawing = prepare_revocation(name, reason=reason, trail=trail, at=now())
    announced = f"you withdraw run {name}, image version {withdrawing.release.version}"
    signer = open_signer(key, passphrase_fd, announced=[announced])
    index = withdrawing.enter(signer, trail)
    step = command("log", "show", name, trail=trail)
    lines = [f"withdrawn: run {name}, entry {index} of the trail", _IN_THE_FIELD, f"next: {step}"]
    result = {
        "entry": index,
        "run": name,
        "version": withdrawing.release.version,
        "signer": fingerprint(signer.public),
        "next": [step],
    }
    show(result, escape("\n".join(lines)), as_json=as_json)
