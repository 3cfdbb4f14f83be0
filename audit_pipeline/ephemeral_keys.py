"""Each image has an ephemeral key of its own: it and the recipient's key derive the key that wraps the AES key.

One that comes again tells that random numbers do: a machine was restored from a snapshot, or two started from one.
Then the AES key has come again too, and who has both images has the difference of their models, because AES-CTR
encrypts every image from counter zero. The trail is the memory: each seal is entered with its ephemeral key.
"""

from __future__ import annotations

from collections.abc import Iterable

from audit_pipeline.errors import ToolError
from audit_pipeline.seal_part import SealPart
from audit_pipeline.trail.entry import Entry


def require_unused(seals: Iterable[Entry], seal: SealPart) -> None:
    """Refuse an ephemeral key that an image was released with before.

    Args:
        seals: the trail's entries of kind `seal`.
        seal: of the image that is to be released.

    Raises:
        ToolError: `seal.ephemeral-reused`.
    """
    for entry in seals:
        if seal.ephemeral is not None and entry.body.get("ephemeral") == seal.ephemeral:
            raise ToolError(
                "seal.ephemeral-reused",
                f"run {entry.run} was released with the same ephemeral key: this machine's random numbers repeat",
                where=f"entry {entry.index} of the trail",
                hint="do not publish this image; seal on a machine that is no restored copy of another",
            )
