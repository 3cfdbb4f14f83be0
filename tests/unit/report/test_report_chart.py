"""The picture: whole, readable to all, and drawn to scale."""

from __future__ import annotations

import re
from xml.etree import ElementTree as Xml

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_findings import measured
from report_hostile import HOSTILE

from audit_pipeline.measurement import Interval, Measured, Measurement, NotMeasurable, Outcome
from audit_pipeline.report import layers, palette
from audit_pipeline.report.bars import NARROW, WHOLE, WIDE, Axis, Bar, data_axis, share_axis
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


def draw(*bars: Bar, axis: Axis = WHOLE, frame: object = WIDE) -> Xml.Element:
    svg = dot_plot(bars, axis, name="p", title="A title", description="A description", frame=frame)  # type: ignore[arg-type]
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
    assert max(map(len, texts(svg))) < 200


def test_what_could_not_be_measured_has_no_mark() -> None:
    nothing = NotMeasurable(reason="no rows", rows=0)
    svg = draw(bar(before=nothing, after=nothing, limit=None, numbers="not measurable"))
    assert "not measurable" in texts(svg)
    assert places(svg, palette.FAIL.light) == []


def test_a_number_without_interval_or_float_model_is_drawn() -> None:
    svg = draw(bar(before=None, after=Measured(estimate=0.5, rows=10), limit=None))
    assert places(svg, palette.FAIL.light) == pytest.approx([0.5 * WIDE.plot])


def test_the_picture_is_the_same_every_time_and_knows_no_font_of_the_machine() -> None:
    first = dot_plot([bar()], WHOLE, name="p", title="t", description="d")
    layers._drawing.cache_clear()
    second = dot_plot([bar()], WHOLE, name="p", title="t", description="d")
    assert first == second
    assert "font-family" not in first


def test_the_axis_of_shares_covers_every_value_in_tenths() -> None:
    assert share_axis([bar()]).domain == (0.0, 0.8)
    assert share_axis([bar(after=measured(0.66))]).domain == (0.6, 0.8)
    narrow = bar(before=None, after=Measured(estimate=0.95, rows=1), limit=None)
    assert share_axis([narrow]).domain == (0.8, 1.0)
    assert share_axis([narrow]).marks == [0.8, 0.85, 0.9, 0.95, 1.0]


def test_the_axis_of_shares_never_leaves_what_shares_can_be() -> None:
    assert share_axis([bar(after=measured(0.0), limit=-0.3)]).domain == (0.0, 0.8)
    assert share_axis([]).domain == (0.0, 1.0)


number = st.floats(-1e9, 1e9, allow_subnormal=False).filter(lambda x: x == 0 or abs(x) > 1e-9)


@given(st.lists(number, min_size=1, max_size=4))
def test_an_axis_of_other_numbers_covers_them_in_few_round_steps(values: list[float]) -> None:
    axis = data_axis([bar(before=None, after=Measured(estimate=value, rows=1), limit=None) for value in values])
    low, high = axis.domain
    slack = 1e-9 * axis.step + 1e-9 * max(map(abs, values))
    assert low - slack <= min(values) <= max(values) <= high + slack
    assert 2 <= len(axis.marks) <= 9
    assert f"{axis.step:.0e}"[0] in "125"


def test_numbers_that_are_no_shares_are_drawn_to_scale_and_shaded_beyond_their_limit() -> None:
    loud = bar(before=measured_at(20), after=measured_at(35), limit=25.0, higher_is_better=False)
    axis = data_axis([loud])
    low, high = axis.domain
    svg = draw(loud, axis=axis)
    assert (low, high) == (15, 40)
    assert places(svg, palette.FAIL.light) == pytest.approx([(35 - low) / (high - low) * WIDE.plot])
    path = next(each for each in svg.iter(f"{SVG}path") if each.get("fill") == palette.FORBIDDEN.light)
    left, width = re.match(r"M([\d.]+),[\d.]+h([\d.]+)", path.get("d", "")).groups()  # type: ignore[union-attr]
    assert float(left) == pytest.approx((25 - low) / (high - low) * WIDE.plot)
    assert float(left) + float(width) == pytest.approx(WIDE.plot)
    assert [text for text in texts(svg) if text.isdigit()] == ["15", "20", "25", "30", "35", "40"]


def measured_at(value: float) -> Measured:
    interval = Interval(low=value - 2, high=value + 2, level=0.95, method="t")
    return Measured(estimate=value, rows=10, interval=interval)
