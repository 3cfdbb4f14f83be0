"""The report's colours: each role once, for light paper and for dark screens.

Pass, fail and inconclusive are blue, vermilion and ochre after Okabe & Ito (2008, "Color Universal Design"), darkened
to a contrast of at least 4.5 to 1 on their background (WCAG 2.2, 1.4.3). No meaning rests on colour alone: a word or
a shape says the same.
"""

from __future__ import annotations

from dataclasses import dataclass

from audit_pipeline.measurement import Outcome


@dataclass(frozen=True)
class Colour:
    """One role's colour on light and on dark ground, as `#rrggbb`. Light ones are distinct: they stand for the role."""

    light: str
    dark: str


INK = Colour("#1b1d22", "#e8e8ea")
MUTED = Colour("#5b616b", "#a9aeb8")
BEFORE = Colour("#5c626c", "#b4b9c2")
GRID = Colour("#dcdee2", "#34373d")
LINK = Colour("#b9bdc5", "#5a5f68")
FORBIDDEN = Colour("#f3e4dc", "#3a2620")
EDGE = Colour("#b98a72", "#94674f")
PASS = Colour("#005f99", "#74bff2")
FAIL = Colour("#b3350c", "#ff9470")
INCONCLUSIVE = Colour("#7a5a00", "#e6c04c")
UNRULED = Colour("#4a4f58", "#c3c7ce")

ALL = {
    "ink": INK,
    "muted": MUTED,
    "before": BEFORE,
    "grid": GRID,
    "link": LINK,
    "forbidden": FORBIDDEN,
    "edge": EDGE,
    "pass": PASS,
    "fail": FAIL,
    "inconclusive": INCONCLUSIVE,
    "unruled": UNRULED,
}
"""Every role by the name it has in the style sheet."""

SHAPES = {
    Outcome.PASS: "circle",
    Outcome.FAIL: "M0,-1.4L1.4,0L0,1.4L-1.4,0Z",
    Outcome.INCONCLUSIVE: "square",
    None: "circle",
}
"""The shape of the device's mark, by name or as a path: the named diamond of Vega is too thin to tell apart."""


def of_outcome(outcome: Outcome | None) -> Colour:
    """The colour of an outcome; None is a number no rule speaks of."""
    return {Outcome.PASS: PASS, Outcome.FAIL: FAIL, Outcome.INCONCLUSIVE: INCONCLUSIVE, None: UNRULED}[outcome]
