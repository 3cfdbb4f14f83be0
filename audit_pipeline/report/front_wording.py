"""What the picture of a search says to those who do not see it, and what its marks do not say."""

from __future__ import annotations

from collections.abc import Sequence

from audit_pipeline.evidence import DataPart, SearchPart
from audit_pipeline.report.search import in_short, loss_quantity, plain_int8
from audit_pipeline.report.wording import count

_MOST_DESCRIBED = 12


def described(search: SearchPart, data: DataPart) -> str:
    """The front from the smallest trial to the largest, and what was chosen."""
    front = sorted((t for t in search.trials if t.on_front), key=lambda t: (t.size_bytes or 0, t.number))
    said = [f"Trial {trial.number}: {in_short(trial, data)}." for trial in front[:_MOST_DESCRIBED]]
    more = [f"And {count(len(front) - _MOST_DESCRIBED)} more."] if len(front) > _MOST_DESCRIBED else []
    chosen = next((trial for trial in search.trials if trial.chosen), None)
    others = [("Chosen", chosen), ("Plain int8", plain_int8(search))]
    named = [f"{word} is trial {trial.number}: {in_short(trial, data)}." for word, trial in others if trial]
    return " ".join([f"{count(len(search.trials), 'trial')}. On the front, from the smallest:", *said, *more, *named])


def notes(search: SearchPart, losses: Sequence[float], top: float, data: DataPart) -> str:
    """Which trials are not drawn to scale, and which are not drawn.

    Args:
        search: whose trials were drawn.
        losses: of the trials that have a mark.
        top: the largest loss that is drawn to scale.
        data: whose unit the losses have.
    """
    said = []
    if above := [loss for loss in losses if loss > top]:
        quantity = loss_quantity(data)
        most = quantity.with_unit(quantity.change(max(above)))
        said.append(f"Triangles at the upper edge: {count(len(above), 'trial')} that lost more, up to {most}.")
    if missing := len(search.trials) - len(losses):
        have = "has" if missing == 1 else "have"
        said.append(f"{count(missing, 'trial')} could not be made or measured and {have} no mark.")
    return " ".join(said)
