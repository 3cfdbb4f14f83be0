"""The picture: whole, readable to all, and drawn to scale."""

from __future__ import annotations

import re
from xml.etree import ElementTree as Xml

import pytest
from report_sample import HOSTILE, measured

from audit_pipeline.measurement import Measured, Measurement, NotMeasurable, Outcome
from audit_pipeline.report import palette
from audit_pipeline.report.bars import NARROW, WIDE, Bar, axis_of
from audit_pipeline.report.chart import dot_plot

SVG = "{http://www.w3.org/2000/svg}"


def bar(label: str = "sex=F", after: Measurement | None = None, **changes: object) -> Bar:
    given: dict[str, object] = {
        "label": label,
        "note": "1,204 rows",
        "numbers": "0.700 → 0.100",
        "before": measured(0.7),
        "after": after or measured(0.1),
        "limit": 0.68,
        "higher_is_better": True,
        "outcome": Outcome.FAIL,
    }
    return Bar(**given | changes)  # type: ignore[arg-type]


def draw(*bars: Bar, frame: object = WIDE) -> Xml.Element:
    svg = dot_plot(bars, name="p", title="A title", description="A description", whole=True, frame=frame)  # type: ignore[arg-type]
    return Xml.fromstring(svg)


def texts(svg: Xml.Element) -> list[str]:
    return ["".join(element.itertext()) for element in svg.iter(f"{SVG}text")]


def places(svg: Xml.Element, colour: str, tag: str = "path") -> list[float]:
    """Horizontal places of the marks of one colour, in pixels of the plot."""
    found = [each for each in svg.iter(f"{SVG}{tag}") if colour in (each.get("fill"), each.get("stroke"))]
    return [float(re.findall(r"[-\d.]+", each.get("transform", "0"))[0]) for each in found]


def test_it_has_the_role_of_an_image_with_title_and_description() -> None:
    svg = draw(bar())
    assert svg.get("role") == "img"
    assert [svg.find(f"{SVG}{name}").text for name in ("title", "desc")] == ["A title", "A description"]  # type: ignore[union-attr]
    assert svg.get("aria-labelledby") == "p-t p-d"


def test_marks_stand_where_their_values_are() -> None:
    svg = draw(bar(before=measured(0.75), after=measured(0.25)))
    assert places(svg, palette.BEFORE.light)[-1:] == pytest.approx([0.75 * WIDE.plot])
    assert places(svg, palette.FAIL.light) == pytest.approx([0.25 * WIDE.plot])


def test_the_shade_covers_what_the_limit_forbids() -> None:
    def shade(*, higher_is_better: bool) -> tuple[float, float]:
        svg = draw(bar(limit=0.25, higher_is_better=higher_is_better))
        path = next(each for each in svg.iter(f"{SVG}path") if each.get("fill") == palette.FORBIDDEN.light)
        left, width = re.match(r"M([\d.]+),[\d.]+h([\d.]+)", path.get("d", "")).groups()  # type: ignore[union-attr]
        return float(left) / WIDE.plot, (float(left) + float(width)) / WIDE.plot

    assert shade(higher_is_better=True) == pytest.approx((0, 0.25))
    assert shade(higher_is_better=False) == pytest.approx((0.25, 1))


@pytest.mark.parametrize("outcome", [*Outcome, None])
def test_an_outcome_is_told_by_colour_and_by_a_word(outcome: Outcome | None) -> None:
    svg = draw(bar(outcome=outcome))
    assert palette.of_outcome(outcome).light in {each.get("fill") for each in svg.iter(f"{SVG}path")}
    assert (outcome.value if outcome else "") in [*texts(svg), ""]


def test_outcomes_differ_in_shape_too() -> None:
    assert len({palette.SHAPES[outcome] for outcome in Outcome}) == len(Outcome)


@pytest.mark.parametrize("colour", ["ink", "muted", "before", "pass", "fail", "inconclusive", "unruled"])
def test_words_and_marks_stand_out_from_paper_and_screen(colour: str) -> None:
    def luminance(code: str) -> float:
        parts = [int(code[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    def contrast(one: str, other: str) -> float:
        high, low = sorted((luminance(one), luminance(other)), reverse=True)
        return (high + 0.05) / (low + 0.05)

    assert contrast(palette.ALL[colour].light, "#ffffff") >= 4.5
    assert contrast(palette.ALL[colour].light, palette.FORBIDDEN.light) >= 4.5
    assert contrast(palette.ALL[colour].dark, "#17181b") >= 4.5


def test_every_light_colour_stands_for_one_role_only() -> None:
    assert len({colour.light for colour in palette.ALL.values()}) == len(palette.ALL)


@pytest.mark.parametrize("frame", [WIDE, NARROW], ids=["wide", "narrow"])
def test_labels_from_outside_are_text(frame: object) -> None:
    svg = draw(*(bar(label=value) for value in HOSTILE), frame=frame)
    assert {each.tag.removeprefix(SVG) for each in svg.iter()} <= {"svg", "g", "path", "line", "text", "title", "desc"}
    assert HOSTILE[0] in texts(svg)


def test_what_could_not_be_measured_has_no_mark() -> None:
    nothing = NotMeasurable(reason="no rows", rows=0)
    svg = draw(bar(before=nothing, after=nothing, limit=None, numbers="not measurable"))
    assert "not measurable" in texts(svg)
    assert places(svg, palette.FAIL.light) == []


def test_a_number_without_interval_or_float_model_is_drawn() -> None:
    svg = draw(bar(before=None, after=Measured(estimate=0.5, rows=10), limit=None))
    assert places(svg, palette.FAIL.light) == pytest.approx([0.5 * WIDE.plot])


def test_the_picture_is_the_same_every_time_and_knows_no_font_of_the_machine() -> None:
    first, second = (dot_plot([bar()], name="p", title="t", description="d", whole=True) for _ in range(2))
    assert first == second
    assert "font-family" not in first


def test_the_axis_covers_every_value_in_tenths() -> None:
    assert axis_of([bar()], whole=False) == (0.0, 0.8)
    assert axis_of([bar(after=measured(0.66))], whole=False) == (0.6, 0.8)
    assert axis_of([bar()], whole=True) == (0.0, 1.0)
    narrow = bar(before=None, after=Measured(estimate=0.95, rows=1), limit=None)
    low, high = axis_of([narrow], whole=False)
    assert (low, high) == pytest.approx((0.8, 1.0))
