"""Stages 9 to 11: a judged run is attested, sealed where it is a PASS, entered in the trail and put in its place.

Whatever came to a verdict ends here, whether it was measured just now (`ship`) or decided again under waivers
(`waived_release`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from audit_pipeline import rollback, run_folder
from audit_pipeline.entries import seal_entry, verdict_entry
from audit_pipeline.ephemeral_keys import require_unused
from audit_pipeline.evidence import Evidence
from audit_pipeline.journal import Journal
from audit_pipeline.measurement import Outcome
from audit_pipeline.release import seal, sign_release, sign_verdict
from audit_pipeline.report.html import render_html
from audit_pipeline.report.markdown import render_markdown
from audit_pipeline.seal_keys import SealKeys
from audit_pipeline.seal_part import SealPart
from audit_pipeline.trail.entry import Entry


def conclude(
    evidence: Evidence, judged: Mapping[str, bytes], keys: SealKeys | None, journal: Journal, folder: Path
) -> Evidence:
    """Seal what may be sealed, and put the run's folder in its place as its last entry is logged.

    Args:
        evidence: with its verdict and its place in the trail.
        judged: the files that are there before a verdict is signed, the policy and the .tflite among them.
        keys: None where nothing is signed.
        journal: of the run, with everything entered up to its findings.
        folder: that the run is put in.

    Returns:
        The evidence as it was written: with its seal where there is one.

    Raises:
        InputError: `seal.counter-not-risen`, another run was released meanwhile; or as `run_folder.publishing`.
        ToolError: sealing, logging or writing failed; there is no folder then.
    """
    files = dict(judged)
    verdict = sign_verdict(evidence, keys) if keys else None
    if verdict:
        files[run_folder.VERDICT] = verdict.envelope
    if keys is None or verdict is None or evidence.verdict.outcome is not Outcome.PASS:
        files |= _rendered(evidence)
        with run_folder.publishing(folder, files):
            journal.enter("verdict", verdict_entry(evidence.to_json(), files))
        return evidence
    journal.enter("verdict", verdict_entry(evidence.to_json(), files))
    sealed = seal(evidence, files[run_folder.MODEL], verdict, keys)
    files |= {**sealed.files, **_rendered(sealed.evidence)}
    files[run_folder.RELEASE] = release = sign_release(sealed.evidence, files, keys)
    with run_folder.publishing(folder, files):
        journal.enter("seal", seal_entry(sealed.part.to_json(), release), after=_succeeds(sealed.part, keys))
    return sealed.evidence


def require_risen(keys: SealKeys, seals: Iterable[Entry]) -> None:
    """Refuse a security counter that is not above those of the seals, before any work is done for it.

    Raises:
        InputError: `seal.counter-not-risen`.
        RejectedError: as `rollback.last_released`.
    """
    rollback.require_rise(seals, of_class=keys.device_class, security_counter=keys.settings.security_counter)


def _succeeds(part: SealPart, keys: SealKeys) -> Callable[[Iterator[Entry]], None]:
    """Refuses an image whose counter is not above those of the seals it is given, or whose ephemeral key is in one."""

    def require(seals: Iterator[Entry]) -> None:
        known = tuple(seals)
        require_risen(keys, known)
        require_unused(known, part)

    return require


def _rendered(evidence: Evidence) -> dict[str, bytes]:
    return {
        run_folder.EVIDENCE: evidence.canonical(),
        run_folder.HTML: render_html(evidence).encode(),
        run_folder.MARKDOWN: render_markdown(evidence).encode(),
    }
