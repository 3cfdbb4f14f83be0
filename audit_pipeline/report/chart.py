"""The picture: one line a group, from a hollow ring (float model) to a solid mark (device), limits shaded.

Drawn by Vega-Lite to a static SVG that stands inside the page. Every place is given in pixels, so that the picture
does not depend on the fonts of the machine that draws it. Importing this module loads Altair: a renderer that draws
nothing must not.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

import vl_convert

from audit_pipeline.errors import ToolError
from audit_pipeline.report.bars import WIDE, Axis, Bar, Frame, plot_rows
from audit_pipeline.report.layers import specification
from audit_pipeline.report.wording import one_line

_OPENING = re.compile(r"<svg [^>]*?(width=\"\d+\" height=\"\d+\" viewBox=\"[^\"]*\")[^>]*>")


def dot_plot(bars: Sequence[Bar], axis: Axis, *, name: str, title: str, description: str, frame: Frame = WIDE) -> str:
    """Draw before → after for each line.

    Args:
        bars: at least one, from top to bottom; all values are of one unit.
        axis: in that unit; what lies beyond its ends is drawn at them.
        name: of the picture, unique in the page: an XML name.
        title: read out first by a screen reader.
        description: what the picture shows, in sentences.
        frame: the measures.

    Returns:
        An `<svg>` element with the role of an image, without script, link or font of its own.
    """
    svg = vl_convert.vegalite_to_svg(specification(plot_rows(bars, axis, frame), axis, frame))
    opening = _OPENING.match(svg)
    if opening is None:
        raise ToolError("report.chart", "vl-convert gave an SVG that opens in an unknown way")
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" {opening[1]} role="img" aria-labelledby="{name}-t {name}-d">'
        f'<title id="{name}-t">{escape(one_line(title))}</title>'
        f'<desc id="{name}-d">{escape(one_line(description))}</desc>'
    )
    return head + _lean(svg[opening.end() :])


def _lean(svg: str) -> str:
    """Without what only Vega's own script would use: pointer events, roles of groups, empty paths."""
    svg = re.sub(r' (?:pointer-events|aria-hidden|aria-roledescription|role|class|font-family)="[^"]*"', "", svg)
    svg = re.sub(r'<path d="(?:M0,0h0v0h0Z)?"(?: display="none")?/>', "", svg)
    return re.sub(r'<path transform="[^"]*" d="(?:M0,0h0v0h0Z)?"(?: display="none")?/>', "", svg)
