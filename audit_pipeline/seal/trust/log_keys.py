"""The keys of the log and of its witnesses in a trust file: each of its kind, and none of them twice."""

from __future__ import annotations

from collections.abc import Iterator

from audit_pipeline.errors import InputError
from audit_pipeline.seal.trust.schema import Log
from audit_pipeline.strict_yaml import Loc
from audit_pipeline.trail.note_key import COSIGNATURE, ED25519, NoteKey


def log_disagreements(log: Log) -> Iterator[tuple[Loc, str, str]]:
    """What is wrong with the keys of the log and of its witnesses."""
    places: list[tuple[Loc, str, int]] = [(("log", "key"), log.key, ED25519)]
    if log.witnesses is not None:
        keys = log.witnesses.keys
        places += [(("log", "witnesses", "keys", n), key, COSIGNATURE) for n, key in enumerate(keys)]
        if log.witnesses.threshold > len(keys):
            text = f"{log.witnesses.threshold} witnesses must cosign, and only {len(keys)} are known"
            yield ("log", "witnesses", "threshold"), "threshold", text
    seen: set[bytes] = set()
    for loc, text, wanted in places:
        try:
            key = NoteKey.parse(text)
        except InputError as error:
            yield loc, "log-key", error.what
            continue
        if key.kind != wanted:
            what = "of a witness, and the log's" if wanted == ED25519 else "of a log, and a witness's"
            yield loc, "log-key", f"this is the key {what} belongs here"
        elif key.public in seen:
            yield loc, "one-key-twice", "this key stands here already, by whatever name: it counts once"
        seen.add(key.public)
