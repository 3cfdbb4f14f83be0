"""`--trail`: where the audit trail is; the key that signs its checkpoints comes from the environment with it.

One option for every command, so that no command grows a second one for the key: a file beside the database serves
until somebody keeps the key elsewhere, and then the environment says where for all commands alike.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from audit_pipeline.trail.place import KEY_VARIABLE, Place

DEFAULT_TRAIL = Place("audit.db")


def place(given: str | Place) -> Place:
    """A trail's address as it was typed, with the log's key from the environment.

    Args:
        given: a file, `sqlite:///PATH` or `postgresql://…`; a `Place` where the option was left out.
    """
    url = given.url if isinstance(given, Place) else given
    key = os.environ.get(KEY_VARIABLE)
    return Place(url, Path(key) if key else None)


TrailOption = Annotated[
    Place,
    typer.Option(
        "--trail",
        parser=place,
        metavar="FILE|URL",
        help=f"The audit trail: a file or a database URL. ${KEY_VARIABLE} names the key that signs its checkpoints.",
    ),
]
OptionalTrailOption = Annotated[
    Place | None,
    typer.Option(
        "--trail",
        parser=place,
        metavar="FILE|URL",
        help="An audit trail; it may know a newer trust file, or the key as revoked.",
    ),
]
