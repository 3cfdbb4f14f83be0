"""What pydantic refuses, in plain English and at its line."""

from __future__ import annotations

import re
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from audit_pipeline.spelling import did_you_mean, nearest
from audit_pipeline.strict_yaml.nodes import Node
from audit_pipeline.strict_yaml.outline import Outline
from audit_pipeline.strict_yaml.problem import MOST_TOLD, Loc, Problem, shown

_LIMITS = {
    "greater_than": ("above", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("below", "lt"),
    "less_than_equal": ("at most", "le"),
}
_TYPES = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "list_type": "a list",
    "model_type": "a mapping of keys to values",
    "dict_type": "a mapping of keys to values",
    "finite_number": "a finite number",
    "int_parsing_size": "a number that fits 64 bits",
}
_MISSING = {"missing", "union_tag_not_found"}
_KINDS = {"extra_forbidden": "unknown-key"} | dict.fromkeys(_MISSING, "missing-key")


def problems_of(error: ValidationError, root: Node, model: type[BaseModel]) -> list[Problem]:
    """Every problem pydantic found in the values of a tree, less those that only follow from another one.

    They come in the order of their lines, and only those that are told are put in plain English.
    """
    outline = Outline(model)
    ways = [(_way(details, root), details) for details in error.errors(include_url=False)]
    ancestors = {way[:steps] for way, _ in ways for steps in range(len(way))}
    found = sorted(
        ((root.line_of(way), way, details) for way, details in ways if way not in ancestors), key=lambda one: one[0]
    )
    told = found[:MOST_TOLD]
    misspelt = {_meant(way, root, outline) for _, way, details in told if details["type"] == "extra_forbidden"}
    return [
        Problem(line, way, _KINDS.get(details["type"], "invalid"), _text(details, way, root, outline))
        for line, way, details in told
        if not (way in misspelt and details["type"] in _MISSING)
    ] + [Problem(line, way, "invalid", details["msg"]) for line, way, details in found[MOST_TOLD:]]


def _meant(way: Loc, root: Node, outline: Outline) -> Loc:
    """Where the value of an unknown key was meant to be; a key missing there is not missing, but misspelt."""
    name = nearest(str(way[-1]), outline.keys(root, way[:-1]))
    return way if name is None else (*way[:-1], name)


def _way(details: ErrorDetails, root: Node) -> Loc:
    """Way of an error through the file: pydantic's own also names members of unions, which the file does not."""
    node, way = root, Loc()
    for step in details["loc"]:
        child = node.child(step)
        if child is not None:
            node, way = child, (*way, step)
    if details["type"] == "missing":
        return (*way, details["loc"][-1])
    if details["type"] in {"union_tag_not_found", "union_tag_invalid"}:
        return (*way, details["ctx"]["discriminator"].strip("'"))
    return way


def _text(details: ErrorDetails, way: Loc, root: Node, outline: Outline) -> str:
    kind, value, limits = details["type"], details["input"], details.get("ctx", {})
    if kind in _MISSING:
        return f"missing key{_asked_for(way, root, outline)}"
    if kind == "extra_forbidden":
        return f"unknown key{_instead(str(way[-1]), outline.keys(root, way[:-1]))}"
    if kind in _LIMITS:
        word, key = _LIMITS[kind]
        return f"must be {word} {limits[key]:g}, not {shown(value)}"
    if kind in _TYPES:
        return f"must be {_TYPES[kind]}{_instead_of(value, wants_text=kind == 'string_type')}"
    if kind == "literal_error":
        return _choice(limits["expected"], value)
    if kind == "union_tag_invalid":
        return _choice(" or ".join(limits["expected_tags"].rsplit(", ", 1)), limits["tag"])
    if kind == "string_pattern_mismatch":
        example = outline.example(root, way)
        hint = f", as in {shown(example)}" if example is not None else ""
        return f"{shown(value)} does not have the form {limits['pattern']}{hint}"
    if kind in {"string_too_short", "too_short", "string_too_long", "too_long"}:
        return _length(kind, limits)
    text = details["msg"].removeprefix("Value error, ")
    if isinstance(value, dict) and len(value) == 1:
        text += did_you_mean(next(iter(value)), outline.keys(root, way))
    return text


def _asked_for(way: Loc, root: Node, outline: Outline) -> str:
    """What a key that is missing would say, where the schema tells."""
    asked, example = outline.description(root, way), outline.example(root, way)
    return (f": {asked}" if asked else "") + (f", as in {shown(example)}" if asked and example is not None else "")


def _instead(key: str, known: list[str]) -> str:
    meant = did_you_mean(key, known)
    if meant or not known:
        return meant
    return f"; what may stand here: {', '.join(known)}"


def _instead_of(value: Any, *, wants_text: bool) -> str:
    if value is None:
        return ", but nothing is given"
    if isinstance(value, str):
        return f", not the text {shown(value)}"
    if isinstance(value, dict):
        return ", not a mapping"
    if isinstance(value, list):
        return ", not a list"
    return f", not {shown(value)}" + (": put it in quotes" if wants_text else "")


def _choice(expected: str, value: Any) -> str:
    meant = did_you_mean(value, re.findall(r"'([^']*)'", expected)) if isinstance(value, str) else ""
    return f"must be {expected}, not {shown(value)}{meant}"


def _length(kind: str, limits: dict[str, Any]) -> str:
    things = "characters" if kind.startswith("string") else "items"
    if kind.endswith("long"):
        return f"must have at most {limits['max_length']} {things}"
    return "must not be empty" if limits["min_length"] == 1 else f"must have at least {limits['min_length']} {things}"
