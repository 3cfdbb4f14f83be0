"""What is asked of a log's signed checkpoints while its writers are being killed, and of copies that were cut off."""

from __future__ import annotations

from pathlib import Path

from audit_pipeline.trail.checkpoint import signed_checkpoint
from audit_pipeline.trail.log import Trail
from audit_pipeline.trail.memory import Memory
from audit_pipeline.trail.merkle import TreeHead
from audit_pipeline.trail.note import parse_note

_NOTHING = TreeHead(0, "")


def newest_checkpoint(trail: Trail) -> TreeHead:
    """The head that the log's key signed last, by what the database holds."""
    identity, note = trail.log(), trail.checkpoint()
    return signed_checkpoint(parse_note(note), identity.key()).head if identity and note else _NOTHING


def remembered(path: Path, trail: Trail) -> TreeHead:
    """The head that the log's key signed last, by what lies beside the key."""
    identity = trail.log()
    recalled = Memory(Path(f"{path}.key"), identity.key()).recall() if identity else None
    return recalled.head if recalled else _NOTHING


def complaint(path: Path, trail: Trail, *, acknowledged: int) -> str | None:
    """What is wrong with a log's checkpoint, or with what its key remembers; None if nothing is.

    Args:
        path: of the log.
        trail: the same, opened; it may grow meanwhile.
        acknowledged: how many entries were acknowledged before this is asked.
    """
    newest, known = newest_checkpoint(trail), remembered(path, trail)
    # In this order, because all three only grow.
    size = trail.head().size
    if not acknowledged <= newest.size <= known.size <= size:
        return (
            f"{acknowledged} entries were acknowledged, a checkpoint covers {newest.size}, the key remembers "
            f"{known.size}, the log holds {size}"
        )
    return unlike_the_log(trail, newest) or unlike_the_log(trail, known)


def unlike_the_log(trail: Trail, head: TreeHead) -> str | None:
    """Whether the log is not one that went through this head."""
    if head.size == 0 or trail.root_at(head.size) == head:
        return None
    return f"the checkpoint of {head.size} entries has another root than the log had"
