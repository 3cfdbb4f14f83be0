"""Whether anything came through."""

from __future__ import annotations

from attempts import ATTEMPTS
from scene import Scene


def came_through(scene: Scene) -> list[str]:
    """The runs that the release gate lets pass."""
    return [folder.name for folder in sorted((scene.folder / "reports").iterdir()) if scene.gate(folder)[0] == 0]


def try_to_ship(scene: Scene, name: str) -> list[str]:
    """Carry out an attempt, and ask the gate of every run that there then is."""
    ATTEMPTS[name](scene)
    return came_through(scene)
