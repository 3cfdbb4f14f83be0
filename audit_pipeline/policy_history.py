"""What a policy was before: its changes since earlier runs, as the trail has them.

A limit that is loosened after a run failed by it must be seen as that, also where the loosened policy was tried, or a
run broken off, in between. So a policy is held against the newest earlier run that came to a verdict, and the changes
that runs made since the last sealed one are carried along until the next.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import takewhile
from typing import Any, Literal

from audit_pipeline.errors import RejectedError
from audit_pipeline.measurement import Outcome
from audit_pipeline.policy.changes import asked_by, policy_edits
from audit_pipeline.policy_part import MadeChange, PolicyChange, PolicyEdit, PolicyPart
from audit_pipeline.trail.entry import Entry
from audit_pipeline.trail.recorded import Recorded, first_of_each_kind

Ending = Literal["PASS", "FAIL", "INCONCLUSIVE", "aborted"]


def with_history(part: PolicyPart, model_sha256: str, recorded: Recorded) -> PolicyPart:
    """A policy with what was changed in it since earlier runs: those under its name, or else those of its model.

    Args:
        part: the policy as it was read.
        model_sha256: digest of the trained model, so that a new name alone does not begin anew.
        recorded: the entries that were there before the run's own. Asked in the transaction that enters the policy, so
            that of two runs which start at once the second is held against the first.

    Raises:
        RejectedError: `trail.policy-entry`, an entry that this needs is not one that a run makes.
    """
    earlier = _earlier(part, model_sha256, recorded)
    sealed = _sealed(recorded)
    since = takewhile(lambda entry: entry.run not in sealed, earlier)
    return part.model_copy(
        update={
            "changed": _changed(part, earlier, recorded),
            "changed_before": tuple(
                _made(entry) for entry in since if entry.body.get("changed") and _is_judged(_ending(entry, recorded))
            ),
        }
    )


def _earlier(part: PolicyPart, model_sha256: str, recorded: Recorded) -> list[Entry]:
    """The policies that this one follows, the newest first; nothing can be held against one that was taken out."""
    first: dict[str, Entry] = {}
    for entry in recorded(kind="policy"):
        first.setdefault(entry.run, entry)
    policies = [entry for entry in first.values() if not entry.redacted][::-1]
    if named := [entry for entry in policies if entry.body.get("name") == part.name]:
        return named
    of_model = {entry.run for entry in recorded(kind="model") if entry.body.get("sha256") == model_sha256}
    return [entry for entry in policies if entry.run in of_model]


def _sealed(recorded: Recorded) -> frozenset[str]:
    broken_off = {entry.run for entry in recorded(kind="aborted")}
    return frozenset(entry.run for entry in recorded(kind="seal")) - broken_off


def _changed(part: PolicyPart, earlier: list[Entry], recorded: Recorded) -> PolicyChange | None:
    """Against the newest run that came to a verdict; where none did, against the newest."""
    if not earlier:
        return None
    endings = ((entry, _ending(entry, recorded)) for entry in earlier)
    against = next((one for one in endings if _is_judged(one[1])), None)
    entry, ending = against or (earlier[0], _ending(earlier[0], recorded))
    try:
        edits, body = tuple(_edits(entry.body, part)), entry.body
        change = {"run": entry.run, "name": body["name"], "sha256": body["sha256"], "outcome": ending, "edits": edits}
        return PolicyChange.model_validate(change) if edits else None
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise _unreadable(entry) from error


def _edits(before: Mapping[str, Any], part: PolicyPart) -> Iterator[PolicyEdit]:
    answers, rules = {"human_centred": before["human_centred"]}, before.get("rules")
    if rules is not None:
        yield from policy_edits({**rules, **answers}, asked_by(part.document))
    elif before["sha256"] != part.sha256:
        # An older version entered the digest alone: that something was changed is all that can be said of the rules.
        yield from policy_edits(answers, {"human_centred": part.document["human_centred"]})
        yield PolicyEdit(path="rules", before=before["sha256"], after=part.sha256, effect="other")


def _ending(policy: Entry, recorded: Recorded) -> Ending | None:
    """What a run came to; None where it has not ended. Findings are known as soon as they are entered."""
    bodies = {kind: entry.body for kind, entry in first_of_each_kind(recorded(run=policy.run)).items()}
    try:
        if "verdict" in bodies:
            return Outcome(bodies["verdict"]["outcome"]).value
        counts = bodies.get("findings", {}).get("counts", {})
        if failed := [each for each in (Outcome.FAIL, Outcome.INCONCLUSIVE) if counts.get(each)]:
            return failed[0].value
    except (AttributeError, KeyError, ValueError) as error:
        raise _unreadable(policy) from error
    return "aborted" if "aborted" in bodies else None


def _is_judged(ending: Ending | None) -> bool:
    return ending not in (None, "aborted")


def _made(entry: Entry) -> MadeChange:
    try:
        return MadeChange(run=entry.run, change=PolicyChange.model_validate(entry.body["changed"]))
    except ValueError as error:
        raise _unreadable(entry) from error


def _unreadable(entry: Entry) -> RejectedError:
    return RejectedError(
        "trail.policy-entry",
        f"run {entry.run} is in the trail with entries that no run makes, so its policy cannot be compared",
        where=f"entry {entry.index}",
        hint="`audit log verify` says whether the log was changed; `audit log show` what the entry holds",
    )
