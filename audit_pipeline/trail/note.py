"""Signed notes as C2SP signed-note has them: a text, a blank line, and a line for each signature.

    text, ending in a newline

    — name base64(key id ‖ signature)

A note is hostile until a key that is known beforehand has signed it: nothing of its text may be believed before
`note_key.verified`. What is read here is read strictly, so that a note has one spelling only.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from audit_pipeline.errors import RejectedError
from audit_pipeline.trail.strict_base64 import decode, encode

MAX_NOTE_BYTES = 1 << 18
MAX_SIGNATURES = 100
KEY_ID_BYTES = 4
_DASH = "— "


@dataclass(frozen=True)
class NoteSignature:
    """One signature line.

    Raises:
        ValueError: the name is none that a line could hold, or there is no signature.
    """

    name: str
    """of the key, as the line claims"""
    key_id: bytes
    """4 bytes, as the line claims"""
    signature: bytes
    """what the key gave: 64 bytes for an Ed25519 key, 8 of time and 64 for a cosignature's"""

    def __post_init__(self) -> None:
        check_name(self.name)
        if len(self.key_id) != KEY_ID_BYTES or not self.signature:
            raise ValueError("a signature is a key id of 4 bytes and what the key gave")

    @classmethod
    def parse(cls, line: str) -> Self:
        """Read one line, without its newline.

        Raises:
            ValueError: it is no signature line.
        """
        name, space, blob = line.removeprefix(_DASH).partition(" ")
        if not (line.startswith(_DASH) and space):
            raise ValueError("a signature line is an em dash, a name and base64")
        decoded = decode(blob)
        return cls(name, decoded[:KEY_ID_BYTES], decoded[KEY_ID_BYTES:])

    def to_line(self) -> str:
        """The line, with its newline."""
        return f"{_DASH}{self.name} {encode(self.key_id + self.signature)}\n"


@dataclass(frozen=True)
class Note:
    """A text and the signatures that stand under it, none of them checked.

    Raises:
        ValueError: a text that does not end in a newline or holds a control character, no signature, or too many.
    """

    text: str
    """with its final newline, which is signed too"""
    signatures: tuple[NoteSignature, ...]

    def __post_init__(self) -> None:
        if not self.text.endswith("\n"):
            raise ValueError("the text does not end in a newline")
        if any(character < " " and character != "\n" for character in self.text):
            raise ValueError("the text holds a control character")
        if not 1 <= len(self.signatures) <= MAX_SIGNATURES:
            raise ValueError(f"it has {len(self.signatures)} signatures, not 1 to {MAX_SIGNATURES}")

    def to_bytes(self) -> bytes:
        """The note as it is stored and sent: UTF-8."""
        return (self.text + "\n" + "".join(signature.to_line() for signature in self.signatures)).encode()

    def joined(self, signatures: Iterable[NoteSignature]) -> Note:
        """The same note with more signatures under it, of each key the last: a witness may be asked again and again.

        Raises:
            ValueError: they are too many.
        """
        by_key = {(line.name, line.key_id): line for line in (*self.signatures, *signatures)}
        return Note(self.text, tuple(by_key.values()))


def parse_note(content: bytes, *, where: str | None = None) -> Note:
    """Read a note from bytes that anybody may have made.

    Args:
        content: all of it.
        where: the file or address it is from, for messages.

    Raises:
        RejectedError: `note.malformed`.
    """
    try:
        if len(content) > MAX_NOTE_BYTES:
            raise ValueError(f"it is larger than {MAX_NOTE_BYTES} bytes")
        body, blank, lines = content.decode().rpartition("\n\n")
        if not (blank and lines.endswith("\n")):
            raise ValueError("it is not a text, a blank line, and lines of signatures")
        return Note(body + "\n", tuple(NoteSignature.parse(line) for line in lines[:-1].split("\n")))
    except ValueError as error:
        raise RejectedError(
            "note.malformed",
            f"this is no signed note: {error}",
            where=where,
            hint="a checkpoint's file is written by `audit log anchor`; copied into another, it is kept to the byte",
        ) from error


def check_name(name: str) -> None:
    """Refuse what is no name of a key.

    Raises:
        ValueError: it is empty, or has a space, a control character or a plus.
    """
    if not name or any(character.isspace() or character < " " or character == "+" for character in name):
        raise ValueError("a key's name has no space, control character or plus, and is not empty")
