"""The verdict in plain words: the first thing every renderer says."""

from __future__ import annotations

from dataclasses import dataclass

from audit_pipeline.evidence import Evidence
from audit_pipeline.measurement import Outcome
from audit_pipeline.report.waivers import waived_in_words
from audit_pipeline.report.wording import count


@dataclass(frozen=True)
class Headline:
    """What was decided, what that means, and on how many checks it rests."""

    word: str
    """`REFUSED`, `SEALED`, `PASSED` or `INCONCLUSIVE`."""
    meaning: str
    tally: str
    outcome: Outcome


def headline(evidence: Evidence) -> Headline:
    """Put the verdict into words.

    A verdict of PASS without a seal is an evaluation: nothing may be taken for a release.
    """
    outcome = evidence.verdict.outcome
    if outcome is Outcome.FAIL:
        word, meaning = "REFUSED", "the compressed model must not ship"
    elif outcome is Outcome.INCONCLUSIVE:
        word, meaning = "INCONCLUSIVE", "not sealed, because the evidence does not settle every check"
    elif evidence.seal is None:
        word, meaning = "PASSED", "evaluated only, nothing was sealed"
    else:
        word, meaning = "SEALED", "the image is signed and encrypted for its device"
    return Headline(word, meaning, _tally(evidence), outcome)


def _tally(evidence: Evidence) -> str:
    counts = {outcome: evidence.verdict.counts.get(outcome, 0) for outcome in Outcome}
    total = sum(counts.values())
    waived = waived_in_words(evidence)
    if evidence.verdict.outcome is Outcome.PASS and waived is None:
        return f"{'The one check holds' if total == 1 else f'All {total:,} checks hold'}."
    parts = [f"{counts[outcome]:,} {word}" for outcome, word in _WORDS if counts[outcome]]
    if waived is not None and evidence.verdict.outcome is Outcome.PASS:
        return f"Of {count(total, 'check')}: {', '.join(parts)}. {waived}."
    unsettled = counts[Outcome.FAIL] + counts[Outcome.INCONCLUSIVE]
    gap = "" if unsettled else " Not every rule of the policy could be judged."
    return f"Of {count(total, 'check')}: {', '.join(parts) or 'none settled'}.{gap} No image was made."


_WORDS = ((Outcome.FAIL, "failed"), (Outcome.INCONCLUSIVE, "inconclusive"), (Outcome.PASS, "passed"))
