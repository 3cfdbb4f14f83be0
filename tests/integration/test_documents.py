"""The documents keep to the program: what they tell to type exists, and what they link to is there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import typer

from audit_pipeline.cli.main import app

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "policies/*.md", "reports/*.md", "signing/*.md", "examples/*/*.md")
    for path in ROOT.glob(pattern)
)


def command_for(words: list[str]) -> Any:
    found: Any = typer.main.get_command(app)
    for word in words:
        inner = getattr(found, "commands", {})
        if word not in inner:
            break
        found = inner[word]
    return found


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_command_in_a_document_exists(path: Path) -> None:
    blocks = re.findall(r"```(?:sh)?\n(.*?)```", path.read_text(), re.S)
    lines = [line for block in blocks for line in block.splitlines() if re.match(r"(\S*/)?audit\s", line)]
    for line in lines:
        words = line.split("#")[0].split()[1:]
        command = command_for(words)
        assert command is not typer.main.get_command(app) or words[0].startswith("-"), f"{path.name}: {line}"
        known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
        assert {word.split("=")[0] for word in words if word.startswith("--")} <= known, f"{path.name}: {line}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_to_a_file_leads_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", path.read_text()):
        if not re.match(r"[a-z]+:", target):
            assert (path.parent / target).exists(), f"{path.name} links to {target}"
