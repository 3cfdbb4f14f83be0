"""What an entry says, in one line for people who read the whole log.

Bodies come from a database that anybody may have edited, and from other versions: one that is not as this version
writes it is shown as it stands, never guessed at. What a line leaves out, `details` has.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from audit_pipeline.canonical import canonical_json
from audit_pipeline.trail.entry import Entry

Body = Mapping[str, Any]

_DIGEST = re.compile(r"[0-9a-f]{64}")
_DIGITS = 12
_MOST_STEPS = 6


def in_words(entry: Entry) -> str:
    """What happened, as one line without its time, run and number; it holds no line break."""
    if entry.redacted:
        return f"{entry.kind}: its text was taken out, a later redaction says why"
    told = _TOLD[entry.kind](entry.body) if entry.kind in _TOLD else _by_template(entry)
    return " ".join((told or f"{entry.kind} {canonical_json(entry.body).decode()}").split())


def short(text: str) -> str:
    """A digest or fingerprint by its first digits, for a line that people read; other text as it is."""
    return f"{text[:_DIGITS]}…" if _DIGEST.fullmatch(text) else text


_TEMPLATES: Mapping[str, str] = {
    "model": "model {file}, {sha256}",
    "seal": "image {version} sealed for {device_class}, security counter {security_counter}, signed by {signer}",
    "aborted": "broke off: {code}",
    "approval": "approved as {role} by {signer}: {reason}",
    "waiver": "waiver of {rule} for {group} up to {limit} until {expires}, signed by {signer}: {reason}",
    "incident": "{kind} in the field, {group}, reported by {signer}: {reason}",
    "revocation": "release withdrawn by {signer}: {reason}",
    "redaction": "text of entry {index} ({kind} of run {run}) taken out: {reason}",
    "clock": "clock set back from {before}: {reason}",
}


def _by_template(entry: Entry) -> str | None:
    values = {key: short(str(value)) for key, value in entry.body.items() if isinstance(value, str | int | float)}
    # Absent in reports that nobody signed, and in seals from before the lines of releases were named.
    values.setdefault("signer", "somebody who signed nothing")
    if "recipient" in values:
        values.setdefault("device_class", values["recipient"])
    try:
        return _TEMPLATES[entry.kind].format_map(values)
    except KeyError:
        return None


def _policy(body: Body) -> str | None:
    match body:
        case {"name": str(name), "sha256": str(sha256)}:
            told = f"policy {name} registered{_author(body)}, {short(sha256)}"
            changed = _changed(body)
            return f"{told}; {changed}" if changed else told
    return None


def _author(body: Body) -> str:
    match body:
        case {"human_centred": {"author": {"role": str(role)}}}:
            return f" by {role}"
    return ""


def _changed(body: Body) -> str | None:
    match body.get("changed"):
        case {"run": str(run), "outcome": str() | None as outcome, "edits": [*edits]}:
            effects = [str(edit.get("effect")) for edit in edits if isinstance(edit, Mapping)]
            counted = ", ".join(f"{effects.count(effect)} {effect}" for effect in dict.fromkeys(effects))
            return f"{counted} after the {outcome or 'unfinished'} of run {run}"
    return None


def _data(body: Body) -> str | None:
    match body:
        case {"name": str(name), "sha256": str(sha256)}:
            basis, until = body.get("lawful_basis"), body.get("retention_until")
            told = [f"data {name}, {short(sha256)}", *([f"lawful basis: {basis}"] if basis else [])]
            return ", ".join([*told, *([f"kept until {until}"] if until else [])])
    return None


def _candidate(body: Body) -> str | None:
    match body:
        case {"sha256": str(sha256), "size_bytes": int(size), "steps": [*steps]}:
            names = [str(step.get("technique")) for step in steps if isinstance(step, Mapping)]
            named = ", ".join(names[:_MOST_STEPS]) + (", …" if len(names) > _MOST_STEPS else "")
            how = f"compressed by {named}" if named else "taken as it was"
            return f"{how}{_tried(body)}: {size:,} bytes, {short(sha256)}"
    return None


def _tried(body: Body) -> str:
    match body:
        case {"search": {"trials": [*trials]}}:
            return f", chosen from {len(trials)} recipes"
    return ""


def _findings(body: Body) -> str | None:
    match body:
        case {"counts": dict(counts)} if all(isinstance(number, int) for number in counts.values()):
            told = ", ".join(f"{number} {outcome}" for outcome, number in counts.items() if number)
            return f"{sum(counts.values())} findings: {told}" if told else "no findings"
    return None


def _verdict(body: Body) -> str | None:
    match body:
        case {"outcome": str(outcome), "of_run": str(run), "waivers": [*waivers]}:
            under = "1 waiver" if len(waivers) == 1 else f"{len(waivers)} waivers"
            return f"verdict {outcome}, decided again from run {run} under {under}"
        case {"outcome": str(outcome)}:
            return f"verdict {outcome}"
    return None


def _keys(body: Body) -> str | None:
    match body:
        case {"action": str(action), "trust": {"name": str(name), "serial": int(serial)}}:
            return f"trust file {name}, serial {serial}, {_key_change(action, body)}"
    return None


def _key_change(action: str, body: Body) -> str:
    match body:
        case {"action": "init"}:
            return "made"
        case {"action": "sign", "signer": str(signer)}:
            return f"signed by {short(signer)}"
        case {"action": "renew", "expires": str(expires)}:
            return f"renewed until {expires}"
        case {"action": "rotate", "old": {"name": str(old)}, "new": {"name": str(new)}, "reason": str(reason)}:
            return f"key {old} replaced by {new}: {reason}"
        case {"action": "revoke", "old": {"name": str(old)}, "reason": str(reason)}:
            return f"key {old} revoked: {reason}"
    return action


_TOLD: Mapping[str, Callable[[Body], str | None]] = {
    "policy": _policy,
    "data": _data,
    "candidate": _candidate,
    "findings": _findings,
    "verdict": _verdict,
    "keys": _keys,
}
