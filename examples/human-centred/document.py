"""Puts what the walk prints today into docs/human-centred.md, whose words stay.

    walk.sh walk >walk.txt; python document.py walk.txt "$PWD/walk"

Each block of the document is found again by its commands, in order. Give the walk's folder too, which messages name.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

DOCUMENT = Path(__file__).parents[2] / "docs" / "human-centred.md"
_BLOCK = re.compile(r"```console\n(.*?)```", re.S)
_COMMAND = re.compile(r"^\$ .*$", re.M)


def steps(printed: str) -> list[str]:
    """Each command with what it printed, without headings, ending in one newline."""
    text = re.sub(r"^## .*\n", "", re.sub(r"[ \t]+$", "", printed, flags=re.M), flags=re.M)
    starts = [found.start() for found in _COMMAND.finditer(text)]
    return [text[start:end].rstrip() + "\n" for start, end in zip(starts, [*starts[1:], len(text)], strict=True)]


def renewed(document: str, all_steps: list[str]) -> str:
    """The document with today's output in its blocks.

    Raises:
        ValueError: a block shows commands that the walk does not run one after the other.
    """
    done = 0

    def today(block: re.Match[str]) -> str:
        nonlocal done
        commands = _COMMAND.findall(block[1])
        for start in range(done, len(all_steps) - len(commands) + 1):
            found = all_steps[start : start + len(commands)]
            if [step.split("\n")[0] for step in found] == commands:
                done = start + len(commands)
                return f"```console\n{''.join(found)}```"
        raise ValueError(f"the walk does not run: {commands}")

    return _BLOCK.sub(today, document)


if __name__ == "__main__":
    output = Path(sys.argv[1]).read_text().replace(f"{sys.argv[2]}/", "")
    DOCUMENT.write_text(renewed(DOCUMENT.read_text(), steps(output)))
