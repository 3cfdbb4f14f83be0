"""A YAML document as a tree of plain values that know the lines they stand on.

The tree is built from ruamel.yaml's events, not by its constructor: no tag can make an object, an alias shares the
node it names, and both the depth of the tree and its size after aliases are expanded are bounded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    StreamEndEvent,
)
from ruamel.yaml.scanner import Scanner

from audit_pipeline.strict_yaml.problem import Loc, Problem, dotted, refuse, shown
from audit_pipeline.strict_yaml.scalars import Scalar, resolve

DEEPEST = 32
"""Levels of nesting a file may have."""
MOST_NODES = 10_000
"""Values a file may hold once every alias is replaced by what it stands for."""


@dataclass(frozen=True)
class Node:
    """One value."""

    line: int
    """Where it begins, counted from 1."""
    value: Any
    """As `json.loads` would give it."""
    size: int = 1
    """Values in it, itself included."""
    items: tuple[Node, ...] = ()
    """Of a list."""
    entries: Mapping[str, Node] = field(default_factory=dict)
    """Of a mapping."""
    key_lines: Mapping[str, int] = field(default_factory=dict)
    """Where each key of a mapping stands."""

    def child(self, step: str | int) -> Node | None:
        """The entry of that key, or the item at that position."""
        if isinstance(step, str):
            return self.entries.get(step)
        return self.items[step] if 0 <= step < len(self.items) else None

    def line_of(self, loc: Loc) -> int:
        """The line of a value inside of this one, or of its nearest ancestor that is given: its key's if it has one."""
        node, line = self, self.line
        for step in loc:
            child = node.child(step)
            if child is None:
                break
            node, line = child, node.key_lines.get(str(step), child.line)
        return line


def parse(text: str, file: str, stage: str) -> Node:
    """Parse one YAML 1.2 document.

    Args:
        text: the document.
        file: how errors name it.
        stage: first part of the errors' codes.

    Raises:
        InputError: it is empty, is not YAML, or uses what a strict file may not: tags, duplicate keys, keys that are
            not text, aliases or nesting beyond the bounds.
    """
    yaml = YAML(typ="safe", pure=True)
    yaml.Scanner = _ShallowScanner
    composer = _Composer(yaml.parse(text))
    try:
        node = composer.document()
    except _Stop as stop:
        refuse(file, stage, [stop.problem])
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        refuse(file, stage, [Problem(mark.line + 1 if mark else 1, (), "syntax", _grammar(error))])
    except YAMLError as error:
        refuse(file, stage, [Problem(1, (), "syntax", f"not YAML: {str(error).splitlines()[0]}")])
    except ValueError:
        # ruamel.yaml hands escapes such as "\\U00110000" to chr() as they are, and long version numbers to int().
        refuse(file, stage, [Problem(1, (), "syntax", "not YAML: an escape or a version number beyond its range")])
    if composer.problems:
        refuse(file, stage, composer.problems)
    return node


def _grammar(error: MarkedYAMLError) -> str:
    problem = str(error.problem or "it cannot be read").removesuffix(":")
    if "'\\t'" in problem:
        return "a tab where only spaces may stand"
    if problem == "mapping values are not allowed here":
        return "a colon where none can stand: put text that holds `: ` in quotes"
    if problem.endswith("cannot start any token"):
        return f"text cannot begin with {problem.split()[2]}: put it in quotes"
    context = f" {error.context}" if error.context and "scalar" not in error.context else ""
    return f"not YAML:{context}{',' if context else ''} {problem}"


class _Stop(Exception):  # noqa: N818 - ends the parse; what is wrong is in the problem
    def __init__(self, line: int, loc: Loc, kind: str, text: str) -> None:
        super().__init__(text)
        self.problem = Problem(line, loc, kind, text)


class _ShallowScanner(Scanner):
    """Stops where brackets nest too deeply: looking ahead for a colon takes time with the square of the depth."""

    def fetch_flow_collection_start(self, TokenClass: Any, to_push: str) -> None:  # noqa: N803 - ruamel's own name
        if len(self.flow_context) > DEEPEST:
            line = self.reader.get_mark().line + 1
            raise _Stop(line, (), "too-deep", f"nested deeper than {DEEPEST} levels")
        super().fetch_flow_collection_start(TokenClass, to_push)


class _Composer:
    """Builds nodes out of events; keeps the problems that need not stop it."""

    def __init__(self, events: Iterator[Event]) -> None:
        self.problems: list[Problem] = []
        self._events = events
        self._anchors: dict[str, Node | None] = {}  # None while the node is still being read
        self._size = 0

    def document(self) -> Node:
        next(self._events)
        start = next(self._events)
        if isinstance(start, StreamEndEvent):
            raise _Stop(1, (), "empty", "the file is empty")
        if isinstance(start, DocumentStartEvent) and start.version not in (None, (1, 2)):
            raise _Stop(_line(start), (), "yaml-version", "only YAML 1.2 is read: leave the %YAML line out")
        node = self._node(next(self._events), ())
        next(self._events)  # the end of the document
        after = next(self._events)
        if not isinstance(after, StreamEndEvent):
            raise _Stop(_line(after), (), "documents", "a second document: leave only one in the file")
        return node

    def _node(self, event: Event, loc: Loc) -> Node:
        if len(loc) > DEEPEST:
            raise _Stop(_line(event), loc[:1], "too-deep", f"nested deeper than {DEEPEST} levels")
        if isinstance(event, AliasEvent):
            return self._alias(event, loc)
        assert isinstance(event, ScalarEvent | CollectionStartEvent)  # noqa: S101 - the grammar of events
        if event.tag is not None:
            self._note(event, loc, "tag", f"tags are not used here: leave {_tag(event.tag)} out")
        self._count(event, loc, 1)
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        node = self._own(event, loc)
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _own(self, event: ScalarEvent | CollectionStartEvent, loc: Loc) -> Node:
        if isinstance(event, ScalarEvent):
            return Node(_line(event), self._scalar(event, loc))
        return self._mapping(event, loc) if isinstance(event, MappingStartEvent) else self._sequence(event, loc)

    def _alias(self, event: AliasEvent, loc: Loc) -> Node:
        alias = dotted((f"*{event.anchor}",))
        if event.anchor not in self._anchors:
            raise _Stop(_line(event), loc, "alias", f"the alias {alias} names no anchor")
        node = self._anchors[event.anchor]
        if node is None:
            raise _Stop(_line(event), loc, "alias", f"the alias {alias} stands inside of what it names")
        self._count(event, loc, node.size)
        return node

    def _count(self, event: Event, loc: Loc, values: int) -> None:
        self._size += values
        if self._size > MOST_NODES:
            raise _Stop(_line(event), loc[:1], "too-large", f"more than {MOST_NODES} values once aliases are expanded")

    def _scalar(self, event: ScalarEvent, loc: Loc) -> Scalar:
        text = str(event.value)
        if not _is_unicode(text):
            raise _Stop(_line(event), loc, "syntax", "an escape that stands for half a character")
        try:
            return resolve(text) if event.style is None else text
        except ValueError as error:
            raise _Stop(_line(event), loc, "syntax", str(error)) from error

    def _sequence(self, start: Event, loc: Loc) -> Node:
        items: list[Node] = []
        while not isinstance(event := next(self._events), SequenceEndEvent):
            items.append(self._node(event, (*loc, len(items))))
        size = 1 + sum(item.size for item in items)
        return Node(_line(start), [item.value for item in items], size, items=tuple(items))

    def _mapping(self, start: Event, loc: Loc) -> Node:
        entries: dict[str, Node] = {}
        lines: dict[str, int] = {}
        while not isinstance(event := next(self._events), MappingEndEvent):
            key = self._node(event, (*loc, "?")).value
            if not isinstance(key, str):
                self._note(event, loc, "key", f"a key must be text: put {shown(key)} in quotes")
                key = shown(key)
            if key in entries:
                text = f"given twice, first on line {lines[key]}"
                self._note(event, (*loc, key), "duplicate-key", text)
            entry = self._node(next(self._events), (*loc, key))
            entries.setdefault(key, entry)
            lines.setdefault(key, _line(event))
        size = 1 + sum(entry.size for entry in entries.values())
        value = {key: entry.value for key, entry in entries.items()}
        return Node(_line(start), value, size, entries=entries, key_lines=lines)

    def _note(self, event: Event, loc: Loc, kind: str, text: str) -> None:
        self.problems.append(Problem(_line(event), loc, kind, text))


def _tag(tag: str) -> str:
    return shown(tag.replace("tag:yaml.org,2002:", "!!", 1))


def _line(event: Event) -> int:
    return int(event.start_mark.line) + 1


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
