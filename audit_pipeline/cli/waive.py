"""`audit waive`: people allow one rule to be broken, for one group, up to a limit and until a day."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from audit_pipeline.cli.clock import now
from audit_pipeline.cli.console import JsonFlag, show
from audit_pipeline.cli.passphrase import PassphraseFd
from audit_pipeline.cli.reviewer import RunArgument, command, open_signer, read_people
from audit_pipeline.cli.trail_place import DEFAULT_TRAIL, TrailOption
from audit_pipeline.cli.trust_option import PeopleTrustOption, RootOption
from audit_pipeline.errors import InputError

if TYPE_CHECKING:
    from audit_pipeline.review.waivers import ListedWaiver
    from audit_pipeline.review.waiving import Terms, Waiving
    from audit_pipeline.trail.place import Place


def waive(
    run: RunArgument,
    rule: Annotated[str | None, typer.Option("--rule", help="Where it stands in the policy: fairness[0].")] = None,
    group: Annotated[str | None, typer.Option("--group", help="As the report names it: sex=female, overall.")] = None,
    limit: Annotated[float | None, typer.Option("--limit", help="How far it may go, instead of the rule's.")] = None,
    reason: Annotated[str | None, typer.Option("--reason", help="Why; one line, kept in the trail for good.")] = None,
    expires: Annotated[
        str | None, typer.Option("--expires", help="When it ends, UTC, within 180 days: 2027-05-04T00:00:00Z.")
    ] = None,
    cosign: Annotated[
        str | None, typer.Option("--cosign", metavar="SHA256", help="Sign a waiver of somebody else's: how it begins.")
    ] = None,
    key: Annotated[str | None, typer.Option("--key", help="Your own private key, or a pkcs11: URI.")] = None,
    trust: PeopleTrustOption = None,
    root: RootOption = None,
    trail: TrailOption = DEFAULT_TRAIL,
    passphrase_fd: PassphraseFd = None,
    as_json: JsonFlag = False,
) -> None:
    """Waive a rule for a run that failed by it, sign a waiver of somebody else's, or list all and who must still sign.

    Nothing is waived by one person, nor by those who wrote the policy or sign the release, nor for another model.
    """
    from rich.markup import escape

    from audit_pipeline.review.run import read_reviewed_run
    from audit_pipeline.review.waivers import list_waivers
    from audit_pipeline.review.waiving import prepare_cosignature, prepare_waiver

    terms = _terms(rule, group, limit, reason, expires, cosign, key)
    at = now()
    demands, document = read_people(trust, root, trail, at)
    index: int | None = None
    if key is None:
        waivers = list_waivers(read_reviewed_run(run, trail, demands), demands, document)
    else:
        if terms is not None:
            waiving = prepare_waiver(run, terms, demands=demands, document=document, trail=trail)
        else:
            waiving = prepare_cosignature(run, cosign or "", demands=demands, document=document, trail=trail)
        signer = open_signer(key, passphrase_fd, waiving.require, _announced(waiving))
        entered = waiving.enter(signer, trail)
        index, waivers = entered.index, (entered.waiver,)
    steps = [step for waiver in waivers for step in _next(waiver, run, trust, root, trail)]
    lines = [
        *([f"signed, entry {index} of the trail"] if index is not None else []),
        *(line for waiver in waivers for line in _lines(waiver)),
        *([] if waivers else ["the trail has no waiver for this model and policy"]),
        *(f"next: {step}" for step in dict.fromkeys(steps)),
    ]
    result = {
        "entry": index,
        "waivers": [waiver.to_json() for waiver in waivers],
        "next": list(dict.fromkeys(steps)),
    }
    show(result, escape("\n".join(lines)), as_json=as_json)


def _terms(
    rule: str | None,
    group: str | None,
    limit: float | None,
    reason: str | None,
    expires: str | None,
    cosign: str | None,
    key: str | None,
) -> Terms | None:
    """What is asked to be waived; None where a waiver is cosigned, or all are listed.

    Raises:
        InputError: `waiver.options`, they do not make one of the three.
    """
    from audit_pipeline.review.waiving import Terms

    given = {"--rule": rule, "--group": group, "--limit": limit, "--reason": reason, "--expires": expires}
    lacking = [option for option, value in given.items() if value is None]
    if cosign is not None and len(lacking) < len(given):
        raise InputError("waiver.options", "--cosign signs what somebody else has written", hint="give --key alone")
    if cosign is None and key is not None and lacking:
        raise InputError("waiver.options", f"a waiver needs {', '.join(lacking)} too", hint="or --cosign SHA256")
    if key is None and (cosign is not None or len(lacking) < len(given)):
        raise InputError("waiver.options", "a waiver is signed", where="--key", hint="give your own private key")
    if rule is None or group is None or limit is None or reason is None or expires is None:
        return None
    return Terms(rule, group, limit, reason, expires)


def _announced(waiving: Waiving) -> list[str]:
    waiver, finding, run = waiving.waiver, waiving.finding, waiving.record.evidence.run.id
    return [
        f"you waive for run {run}, this model and this policy alone, until {waiver.expires}:",
        f"  {finding.id}: {finding.claim}",
        f"  found: {finding.outcome}, {finding.reason}",
        f"  {waiver.limit:g} is allowed for {waiver.group} instead of {finding.limit:g}: {waiver.reason}",
    ]


def _lines(waiver: ListedWaiver) -> list[str]:
    said = waiver.waiver
    by = ", ".join(waiver.signed_by) or "nobody who counts"
    standing = {
        "signed": f"signed by {by}",
        "expired": f"ended; signed by {by}",
        "unsigned": f"signed by {by}; {waiver.missing} more of {', '.join(waiver.may_sign)} must",
    }
    return [
        f"waiver {waiver.sha256}",
        f"  {said.rule} for {said.group} up to {said.limit:g}, {said.issued} to {said.expires}: {said.reason}",
        f"  {standing[waiver.state]}",
    ]


def _next(waiver: ListedWaiver, run: Path, trust: Path | None, root: list[Path] | None, trail: Place) -> list[str]:
    if waiver.state == "expired":
        return []
    words = (
        ["waive", str(run), "--cosign", waiver.sha256[:16], "--key", "KEY"]
        if waiver.missing
        else ["release", str(run), "--policy", "POLICY", "--run", "NEW"]
    )
    return [command(*words, trust=trust, roots=root, trail=trail)]
