"""What a model expects at a place of a file, as far as its JSON Schema tells."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from audit_pipeline.strict_yaml.nodes import Node
from audit_pipeline.strict_yaml.problem import Loc

_JsonSchema = dict[str, Any]


class Outline:
    """A model's JSON Schema, asked by a place in a file."""

    def __init__(self, model: type[BaseModel]) -> None:
        self._schema = model.model_json_schema(by_alias=True)
        self._definitions: dict[str, _JsonSchema] = self._schema.get("$defs", {})

    def keys(self, root: Node, loc: Loc) -> list[str]:
        """Keys that a mapping at that place may still take: known ones that it does not have."""
        places = self._places(root, loc)
        known = dict.fromkeys(key for place in places for key in place.get("properties", {}))
        given = _at(root, loc)
        return [key for key in known if given is None or key not in given.entries]

    def example(self, root: Node, loc: Loc) -> Any:
        """A value that could stand at that place; None where the schema gives none."""
        examples = [example for place in self._places(root, loc) for example in place.get("examples", ())]
        return examples[0] if examples else None

    def description(self, root: Node, loc: Loc) -> str | None:
        """What the value at that place is to say; None where the schema does not tell it of this place alone."""
        *above, step = loc
        places = (inner for place in self._places(root, tuple(above)) for inner in _under(place, step))
        return next((place["description"] for place in places if "description" in place), None)

    def _places(self, root: Node, loc: Loc) -> list[_JsonSchema]:
        places, node = list(self._members(self._schema, root.value)), root
        for step in loc:
            child = node.child(step)
            value = child.value if child is not None else None
            inner = [under for place in places for under in _under(place, step)]
            places = [member for place in inner for member in self._members(place, value)]
            node = child if child is not None else Node(node.line, None)
        return places

    def _members(self, place: _JsonSchema, value: Any) -> Iterator[_JsonSchema]:
        """A schema and those it is a union of, without the ones that the value's constants rule out."""
        while "$ref" in place:
            place = self._definitions[place["$ref"].rsplit("/", 1)[-1]]
        yield place
        for option in (*place.get("anyOf", ()), *place.get("oneOf", ())):
            yield from (member for member in self._members(option, value) if not _contradicts(member, value))


def _at(root: Node, loc: Loc) -> Node | None:
    node: Node | None = root
    for step in loc:
        node = node.child(step) if node is not None else None
    return node


def _under(place: _JsonSchema, step: str | int) -> list[_JsonSchema]:
    if isinstance(step, int):
        under = [place.get("items")]
    elif step in place.get("properties", {}):
        under = [place["properties"][step]]
    else:
        under = [place.get("additionalProperties"), *place.get("patternProperties", {}).values()]
    return [schema for schema in under if isinstance(schema, dict)]


def _contradicts(place: _JsonSchema, value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    constants = {key: inner["const"] for key, inner in place.get("properties", {}).items() if "const" in inner}
    return any(key in value and value[key] != constant for key, constant in constants.items())
