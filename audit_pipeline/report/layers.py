"""The layers of the picture, as Vega-Lite: limits below, then ranges, marks and words."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import altair as alt

from audit_pipeline.measurement import Outcome
from audit_pipeline.report import palette
from audit_pipeline.report.bars import Axis, Frame

_Side = Literal["left", "right"]
_OUTCOMES = (*Outcome, None)
_NAMES = [outcome.value if outcome else "none" for outcome in _OUTCOMES]
_COLOUR = alt.Color(
    "outcome:N",
    legend=None,
    scale=alt.Scale(domain=_NAMES, range=[palette.of_outcome(outcome).light for outcome in _OUTCOMES]),
)
_SHAPE = alt.Shape(
    "outcome:N",
    legend=None,
    scale=alt.Scale(domain=_NAMES, range=[palette.SHAPES[outcome] for outcome in _OUTCOMES]),
)


@dataclass(frozen=True)
class _Canvas:
    """The two scales that every layer shares."""

    axis: Axis
    height: int

    def of(self, *needed: str) -> alt.Chart:
        """A layer of the rows that have all of these keys."""
        layer = alt.Chart()
        return layer.transform_filter(" && ".join(f"isValid(datum.{key})" for key in needed)) if needed else layer

    def x(self, field: str) -> alt.X:
        scale = alt.Scale(domain=list(self.axis.domain), nice=False, zero=False, clamp=True)
        return alt.X(f"{field}:Q", scale=scale, axis=_axis(self.axis))

    def y(self, field: str) -> alt.Y:
        return alt.Y(f"{field}:Q", scale=alt.Scale(domain=[0, self.height], reverse=True, nice=False), axis=None)


def specification(rows: list[dict[str, Any]], axis: Axis, frame: Frame) -> dict[str, Any]:
    """The picture as a Vega-Lite document with every place fixed; `rows` as `plot_rows` gives them."""
    return {**_drawing(axis, len(rows), frame), "data": {"values": rows}}


# Altair takes longer to write this down, and to check it, than Vega takes to draw it: once for pictures of one shape.
@cache
def _drawing(axis: Axis, lines: int, frame: Frame) -> dict[str, Any]:
    canvas = _Canvas(axis, lines * frame.line)
    chart = (
        alt.layer(
            *_limits(canvas),
            *_ranges(canvas),
            *_marks(canvas),
            *_words(canvas, frame),
            data=alt.InlineData(values=[]),
        )
        .properties(
            width=frame.plot,
            height=canvas.height,
            padding={"left": frame.left, "right": frame.right, "top": 4, "bottom": 26},
            autosize=alt.AutoSizeParams(type="none"),
        )
        .configure(aria=False, background="transparent")
        .configure_view(stroke=None)
    )
    document: dict[str, Any] = chart.to_dict()
    return document


def _limits(canvas: _Canvas) -> list[alt.Chart]:
    edges = canvas.of("limit").encode(canvas.x("limit"), canvas.y("top"), alt.Y2("bottom:Q"))
    return [
        edges.mark_rect(color=palette.FORBIDDEN.light).encode(alt.X2("wall:Q")),
        edges.mark_rule(color=palette.EDGE.light, strokeWidth=1.5),
    ]


def _axis(axis: Axis) -> alt.Axis:
    return alt.Axis(
        format=",.8~g",
        title=None,
        values=axis.marks,
        grid=True,
        gridColor=palette.GRID.light,
        domain=False,
        ticks=False,
        labelColor=palette.MUTED.light,
        labelFontSize=11,
        labelPadding=8,
        labelFlush=False,
        zindex=0,
    )


def _ranges(canvas: _Canvas) -> list[alt.Chart]:
    def span(start: str, end: str, height: str) -> alt.Chart:
        return canvas.of(start, end).encode(canvas.x(start), alt.X2(f"{end}:Q"), canvas.y(height))

    return [
        span("before", "after", "y").mark_rule(color=palette.LINK.light, strokeWidth=3),
        span("before_low", "before_high", "upper").mark_rule(color=palette.BEFORE.light, strokeWidth=1.25),
        span("after_low", "after_high", "lower").mark_rule(strokeWidth=2).encode(_COLOUR),
    ]


def _marks(canvas: _Canvas) -> list[alt.Chart]:
    ring = canvas.of("before").mark_point(
        filled=False, color=palette.BEFORE.light, size=140, strokeWidth=1.75, opacity=1
    )
    solid = canvas.of("after").mark_point(filled=True, size=72, opacity=1)
    return [
        ring.encode(canvas.x("before"), canvas.y("y")),
        solid.encode(canvas.x("after"), canvas.y("y"), _COLOUR, _SHAPE),
    ]


def _words(canvas: _Canvas, frame: Frame) -> list[alt.Chart]:
    def text(field: str, x: int, height: str, align: _Side, size: float, **style: Any) -> alt.Chart:
        words = canvas.of().mark_text(align=align, baseline="middle", fontSize=size, **style)
        placed: alt.Chart = words.encode(canvas.y(height), alt.Text(f"{field}:N"), x=alt.value(x))
        return placed

    weight = {"expr": "datum.weight"}
    inner: _Side = "left" if frame.stacked else "right"
    outer: _Side = "right" if frame.stacked else "left"
    near, far, word = (0, frame.plot, frame.plot) if frame.stacked else (-14, frame.plot + 14, frame.plot + 136)
    upper, lower = ("first", "second") if frame.stacked else ("y", "y")
    return [
        text("label", near, "first", inner, 12.5, fontWeight=weight, color=palette.INK.light),
        text("note", near, "second", inner, 10.5, color=palette.MUTED.light),
        text("numbers", far, upper, outer, 12.5, fontWeight=weight, color=palette.INK.light),
        text("verdict", word, lower, outer, 11, fontWeight="bold").encode(_COLOUR),
    ]
