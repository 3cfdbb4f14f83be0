"""The picture of a search: flash against the loss of the group that loses most, one mark a trial.

Every place is computed here, in pixels; the template only writes it down.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from audit_pipeline.evidence import DataPart, SearchPart, TrialPart
from audit_pipeline.report.bars import Axis, axis_over
from audit_pipeline.report.front_wording import described, notes
from audit_pipeline.report.labels import Box, Label, Wish, place
from audit_pipeline.report.palette import FAIL, PASS, UNRULED, Colour
from audit_pipeline.report.search import is_kept, is_plain_int8, loss_quantity, what_is_lost
from audit_pipeline.report.wording import limit

_ROOM = 0.06
"""Part of the values' span kept free around them."""
_MOST_NUMBERS = 4
"""Trials in one place that are named."""
_RADIUS, _RING = 5.0, 10.0
"""How far a mark reaches, and the ring around what was chosen."""


@dataclass(frozen=True)
class Canvas:
    """Measures of the picture, in pixels of its own coordinates."""

    width: int
    height: int
    left: int
    right: int
    top: int
    bottom: int
    font: float
    steps: int
    """About how many steps the axis of sizes has."""

    @property
    def field(self) -> Box:
        """Where marks lie."""
        return Box(self.left, self.top, self.width - self.right, self.height - self.bottom)


WIDE = Canvas(720, 380, left=58, right=16, top=34, bottom=48, font=12.5, steps=9)
NARROW = Canvas(360, 360, left=46, right=16, top=34, bottom=48, font=12.0, steps=5)


@dataclass(frozen=True)
class Tick:
    """A value of an axis, where it stands."""

    at: float
    text: str


@dataclass(frozen=True)
class Mark:
    """One trial."""

    x: float
    y: float
    shape: str
    """A path around the origin."""
    colour: Colour
    is_filled: bool
    is_chosen: bool


@dataclass(frozen=True)
class Front:
    """A picture with every place fixed."""

    canvas: Canvas
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]
    float_model: float
    """Height at which nothing is lost."""
    staircase: str
    """The front as the points of a line; empty where no trial is on it."""
    marks: tuple[Mark, ...]
    labels: tuple[Label, ...]


@dataclass(frozen=True)
class FrontFigure:
    """The picture in two widths, and its words."""

    wide: Front
    narrow: Front
    up: str
    """What the vertical axis shows."""
    description: str
    legend: tuple[tuple[str, Colour, str], ...]
    """Shape, colour and meaning of the kinds of marks that occur."""
    note: str
    """What a reader must know that the marks do not say; empty where there is nothing."""


CIRCLE = "M-5,0A5,5,0,1,1,5,0A5,5,0,1,1,-5,0Z"
DIAMOND = "M0,-6.4L5.2,0L0,6.4L-5.2,0Z"
SQUARE = "M-4.4,-4.4H4.4V4.4H-4.4Z"
ABOVE = "M-5.6,4.6L0,-5L5.6,4.6Z"
"""Above the picture, at its upper edge."""
_KINDS = {
    True: (CIRCLE, PASS, "keeps every fairness rule"),
    False: (DIAMOND, FAIL, "breaks one"),
    None: (SQUARE, UNRULED, "rules not measured"),
}


def draw_front(search: SearchPart, data: DataPart) -> FrontFigure | None:
    """The picture; None where no trial has both a size and a loss."""
    points = [_Point.of(trial) for trial in search.trials if trial.size_bytes and trial.worst_drop is not None]
    if not points:
        return None
    up = _axis_of_losses(points)
    return FrontFigure(
        wide=_drawn(points, up, WIDE),
        narrow=_drawn(points, up, NARROW),
        up=f"Largest {what_is_lost(data)} in any group{loss_quantity(data).caption}",
        description=described(search, data),
        legend=tuple(words for kind, words in _KINDS.items() if kind in {is_kept(point.trial) for point in points}),
        note=notes(search, [point.drop for point in points], up.domain[1], data),
    )


@dataclass(frozen=True)
class _Point:
    trial: TrialPart
    kib: float
    drop: float

    @classmethod
    def of(cls, trial: TrialPart) -> _Point:
        return cls(trial, (trial.size_bytes or 0) / 1024, trial.worst_drop or 0.0)

    @property
    def is_reference(self) -> bool:
        return self.trial.chosen or is_plain_int8(self.trial.recipe)


def _axis_of_losses(points: Sequence[_Point]) -> Axis:
    """From no loss to twice what counts: models that lost far more would flatten all others.

    What counts is what keeps the rules, what was chosen, and plain int8; where none of these lost anything, everything.
    """
    drops = [point.drop for point in points]
    counting = [point.drop for point in points if is_kept(point.trial) or point.is_reference]
    low, high, most = min([0.0, *drops]), max([0.0, *(counting or drops)]), max([0.0, *drops])
    top = min(most, 2 * high - low) if high > low else most
    room = _ROOM * (top - low)
    return axis_over([low - room if low < 0 else low, top + room])


def _drawn(points: Sequence[_Point], up: Axis, canvas: Canvas) -> Front:
    sizes = [point.kib for point in points]
    room = _ROOM * ((max(sizes) - min(sizes)) or max(sizes))
    across = axis_over([max(0.0, min(sizes) - room), max(sizes) + room], canvas.steps)
    field = canvas.field

    def x(kib: float) -> float:
        low, high = across.domain
        return round(field.left + (kib - low) / (high - low) * (field.right - field.left), 1)

    def y(drop: float) -> float:
        low, high = up.domain
        return round(field.bottom - (min(drop, high) - low) / (high - low) * (field.bottom - field.top), 1)

    placed = [(point, x(point.kib), y(point.drop)) for point in points]
    corners = _corners(placed, up, field)
    marks = [_mark(point, at, height, is_above=point.drop > up.domain[1]) for point, at, height in placed]
    return Front(
        canvas=canvas,
        across=tuple(Tick(x(value), limit(value)) for value in across.marks),
        up=tuple(Tick(y(value), limit(value)) for value in up.marks),
        float_model=y(0.0),
        staircase=" ".join(f"{x:g},{y:g}" for x, y in corners),
        marks=tuple(sorted(marks, key=lambda mark: (mark.is_chosen, mark.is_filled))),
        labels=tuple(_labels(placed, corners, canvas)),
    )


def _mark(point: _Point, x: float, y: float, *, is_above: bool) -> Mark:
    shape, colour, _ = _KINDS[is_kept(point.trial)]
    return Mark(x, y, ABOVE if is_above else shape, colour, point.trial.on_front, point.trial.chosen)


def _corners(placed: Sequence[tuple[_Point, float, float]], up: Axis, field: Box) -> list[tuple[float, float]]:
    """The border of what some trial of the front beats: down to each, then right to the next; empty without any."""
    front = sorted({(x, y) for point, x, y in placed if point.trial.on_front and point.drop <= up.domain[1]})
    if not front:
        return []
    corners = [(front[0][0], field.top), front[0]]
    for (_, height), (x, y) in pairwise(front):
        corners += [(x, height), (x, y)]
    return [*corners, (field.right, front[-1][1])]


def _labels(
    placed: Sequence[tuple[_Point, float, float]], corners: Sequence[tuple[float, float]], canvas: Canvas
) -> list[Label]:
    """The numbers of the front's trials, and who is chosen and who is plain int8."""
    places: dict[tuple[float, float], list[_Point]] = {}
    for point, x, y in placed:
        if point.trial.on_front or point.is_reference:
            places.setdefault((x, y), []).append(point)
    wishes = [Wish(x, y, _reach(points), *_said(points)) for (x, y), points in places.items()]
    marks = [_around(x, y, _reach([point])) for point, x, y in placed]
    lines = [Box(min(x, u), min(y, v), max(x, u), max(y, v)) for (x, y), (u, v) in pairwise(corners)]
    field = canvas.field
    room = Box(field.left, field.top - 14, field.right, field.bottom + 1)
    return place(sorted(wishes, key=lambda wish: (not wish.strong, wish.x)), [*marks, *lines], room, canvas.font)


def _reach(points: Sequence[_Point]) -> float:
    return _RING if any(point.trial.chosen for point in points) else _RADIUS


def _around(x: float, y: float, reach: float) -> Box:
    return Box(x - reach, y - reach, x + reach, y + reach)


def _said(points: Sequence[_Point]) -> tuple[str, bool]:
    """The words beside one place, and whether they must stand."""
    numbers = ", ".join(str(point.trial.number) for point in points[:_MOST_NUMBERS])
    hidden = len(points) - _MOST_NUMBERS
    words = [f"{numbers} +{hidden}" if hidden > 0 else numbers]
    words += ["chosen"] if any(point.trial.chosen for point in points) else []
    words += ["plain int8"] if any(is_plain_int8(point.trial.recipe) for point in points) else []
    return ": ".join([words[0], ", ".join(words[1:])][: len(words)]), len(words) > 1
