"""`audit log redact` and `audit log clock`: what a log may take back, its text and its time, each with a reason."""

from __future__ import annotations

from typing import Annotated

import typer

from audit_pipeline.cli.clock import now
from audit_pipeline.cli.console import JsonFlag, show
from audit_pipeline.cli.passphrase import PassphraseFd
from audit_pipeline.cli.reviewer import KeyOption, open_signer
from audit_pipeline.cli.trail_place import DEFAULT_TRAIL, TrailOption


def redact(
    index: Annotated[int, typer.Argument(min=0, help="The entry's number, as `audit log list` shows it.")],
    reason: Annotated[
        str, typer.Option("--reason", help="Why; it stays for good, so nothing of what is taken out may be in it.")
    ],
    key: KeyOption,
    trail: TrailOption = DEFAULT_TRAIL,
    passphrase_fd: PassphraseFd = None,
    as_json: JsonFlag = False,
) -> None:
    """Take an entry's text out for good, for personal data that got in by mistake; its hash and your reason stay.

    The log, every checkpoint and every proof stay valid. Backups, exports and proofs made before still hold the text.
    """
    from rich.markup import escape

    from audit_pipeline.seal.keys.forms import fingerprint
    from audit_pipeline.trail.log import Trail
    from audit_pipeline.trail.redaction import require_redactable
    from audit_pipeline.trail.summary import in_words, short

    with Trail.open(trail, create=False) as opened:
        entry = opened.entry(index)
        require_redactable(entry)
        announced = f"the text of entry {index} of run {entry.run} goes for good: {in_words(entry)}"
        signer = open_signer(key, passphrase_fd, announced=[announced])
        receipt = opened.redact(index, reason=reason, signer=signer, at=now())
    signed_by = fingerprint(signer.public)
    result = {
        "entry": receipt.entry.index,
        "redacted": index,
        "leaf_hash": entry.leaf_hash.hex(),
        "run": entry.run,
        "signer": signed_by,
    }
    lines = (
        f"the text of entry {index} is gone from the trail; entry {receipt.entry.index} says why, signed by "
        f"{short(signed_by)}",
        "it is still in what was made before: backups, copies of the database, exports and proofs",
    )
    show(result, escape("\n".join(lines)), as_json=as_json)


def clock(
    reason: Annotated[str, typer.Option("--reason", help="What was wrong with the earlier time; kept for good.")],
    trail: TrailOption = DEFAULT_TRAIL,
    as_json: JsonFlag = False,
) -> None:
    """Enter that the clock was ahead before and is right now, so that the log takes entries again.

    A log takes no entry dated more than five minutes before its newest. Where today's clock is the wrong one, set it.
    """
    from rich.markup import escape

    from audit_pipeline.cli.log_lines import time_of
    from audit_pipeline.trail.clock_correction import correct_clock
    from audit_pipeline.trail.log import Trail

    with Trail.open(trail, create=False) as opened:
        corrected = correct_clock(opened, reason=reason, at=now())
    result = {"entry": corrected.index, "at": corrected.at, "before": corrected.before}
    text = f"entry {corrected.index}: it is {time_of(corrected.at)}, not {time_of(corrected.before)} or later"
    show(result, escape(text), as_json=as_json)
