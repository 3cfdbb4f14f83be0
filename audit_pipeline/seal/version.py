"""The version an image carries: `major.minor.revision[+build]`, as the MCUboot header stores it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from audit_pipeline.errors import InputError

_NUMBER = r"(0|[1-9][0-9]{0,9})"
_PATTERN = re.compile(rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:\+{_NUMBER})?")
_LIMITS = {"major": 0xFF, "minor": 0xFF, "revision": 0xFFFF, "build": 0xFFFF_FFFF}


@dataclass(frozen=True, order=True)
class ImageVersion:
    """`struct image_version` of MCUboot: u8 major, u8 minor, u16 revision, u32 build.

    Raises:
        InputError: `seal.version-range`, a part does not fit its field.
    """

    major: int
    minor: int
    revision: int
    build: int = 0

    def __post_init__(self) -> None:
        for part, limit in _LIMITS.items():
            value = getattr(self, part)
            if not 0 <= value <= limit:
                raise InputError(
                    "seal.version-range",
                    f"the image header stores {part} in 0..{limit}, not {value}",
                    hint="lower that part of the version",
                )

    @classmethod
    def parse(cls, text: str) -> ImageVersion:
        """Read `1.4.0` or `1.4.0+7`.

        Raises:
            InputError: `seal.version-form` where the text has another form, `seal.version-range` as above.
        """
        match = _PATTERN.fullmatch(text)
        if match is None:
            raise InputError(
                "seal.version-form",
                f"{text!r} is not a version of the form major.minor.revision or major.minor.revision+build",
                hint="write it as 1.4.0 or 1.4.0+7",
            )
        major, minor, revision, build = (int(part or 0) for part in match.groups())
        return cls(major, minor, revision, build)

    def __str__(self) -> str:
        """Shortest text that `parse` reads back."""
        text = f"{self.major}.{self.minor}.{self.revision}"
        return f"{text}+{self.build}" if self.build else text
