"""Check an exported log with nothing but Python; CHECK.md says how.

Recomputes the Merkle tree (RFC 6962) from entries.jsonl and holds it against checkpoint.txt, a signed note (C2SP
signed-note, tlog-checkpoint, tlog-cosignature). Ends with 0 only if all of it holds.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import sys
from pathlib import Path

# Ed25519 (RFC 8032): the field, the order of the base point, the curve's constant. Points are X, Y, Z and T.
P, ORDER = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P

# What a run came to, and who took a text out: the log never lets these entries lose theirs.
KEPT = {"candidate", "findings", "verdict", "seal", "aborted", "keys", "redaction"}


def point(data: bytes) -> tuple[int, ...]:
    """A point from its 32 bytes (RFC 8032, section 5.1.3)."""
    sign, y = divmod(int.from_bytes(data, "little"), 2**255)
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if (x * x - square) % P == 0 else x * pow(2, (P - 1) // 4, P) % P
    if len(data) != 32 or y >= P or (x * x - square) % P or (x == 0 and sign):
        raise ValueError("not a point of the curve")
    return (x := x if x % 2 == sign else P - x), y, 1, x * y % P


def add(one: tuple[int, ...], other: tuple[int, ...]) -> tuple[int, ...]:
    """The sum of two points (RFC 8032, section 5.1.4)."""
    a, b = (one[1] - one[0]) * (other[1] - other[0]), (one[1] + one[0]) * (other[1] + other[0])
    c, d = 2 * one[3] * other[3] * D, 2 * one[2] * other[2]
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(number: int, what: tuple[int, ...]) -> tuple[int, ...]:
    """A point added to itself so many times."""
    zero = (0, 1, 1, 0)
    return add(times(number >> 1, add(what, what)), what if number & 1 else zero) if number else zero


def holds(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether an Ed25519 signature holds (RFC 8032, section 5.1.7); ValueError where it holds no point."""
    base = point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))
    first, scalar = point(signature[:32]), int.from_bytes(signature[32:], "little")
    digest = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little")
    left, right = times(scalar % ORDER, base), add(first, times(digest % ORDER, point(public)))
    same = all((left[axis] * right[2] - right[axis] * left[2]) % P == 0 for axis in (0, 1))
    return same and scalar < ORDER and len(signature) == 64


def read_key(word: str) -> tuple[str, str, int, bytes]:
    """Name, key id, type (1 a log's, 4 a witness's) and public key of a NAME+ID+KEY."""
    name, key_id, blob = word.split("+", 2)
    key = base64.b64decode(blob, validate=True)
    if len(key) != 33 or hashlib.sha256(name.encode() + b"\n" + key).hexdigest()[:8] != key_id:
        raise ValueError(f"not a key: {word}")
    return name, key_id, key[0], key[1:]


def signed(key: tuple[str, str, int, bytes], text: str, lines: list[str]) -> bool:
    """Whether one of a note's signature lines is this key's; a cosignature is over its time too."""
    for dash, name, blob in (line.split(" ") for line in lines):
        data = base64.b64decode(blob, validate=True)
        time = f"cosignature/v1\ntime {int.from_bytes(data[4:12], 'big')}\n" if key[2] == 4 else ""
        mine = (dash, name, data[:4].hex()) == ("—", key[0], key[1])
        if mine and holds(key[3], (time + text).encode(), data[12 if key[2] == 4 else 4 :]):
            return True
    return False


def read_checkpoint(path: Path, log: tuple[str, str, int, bytes], words: list[str]) -> tuple[int, str, int]:
    """Size and root of a checkpoint that the log's key signed, and how many of the witnesses did."""
    body, _, signatures = path.read_text(encoding="utf-8").rpartition("\n\n")
    text, lines = body + "\n", signatures.splitlines()
    origin, size, root = text.split("\n")[:3]
    if log[2] != 1 or origin != log[0] or not signed(log, text, lines):
        raise ValueError(f"{path.name} is not signed by the log {log[0]}")
    witnesses = {key[3]: key for key in map(read_key, words) if key[2] == 4 and key[3] != log[3]}
    cosigned = sum(signed(key, text, lines) for key in witnesses.values())
    return int(size), base64.b64decode(root, validate=True).hex(), cosigned


def canonical(value: object) -> bytes:
    """JSON in its one form: sorted keys, no white space, UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def leaves(lines: list[bytes]) -> list[bytes]:
    """The leaf hash of each entry, over its header; one without its body needs a later redaction of that very hash."""
    hashes, missing = [], {}
    for index, line in enumerate(lines):
        entry = json.loads(line)
        if canonical(entry) != line or entry["index"] != index:
            raise ValueError(f"line {index + 1} is not entry {index}, or not in the one form that entries have")
        body = entry.get("body")
        if "salt" in entry:
            both = canonical({"body": entry.pop("body"), "salt": entry.pop("salt")})
            entry["body_sha256"] = hashlib.sha256(both).hexdigest()
        hashes.append(hashlib.sha256(b"\x00" + canonical(entry)).digest())
        if body is None:
            if entry["kind"] in KEPT:
                raise ValueError(f"entry {index} has no text, and no {entry['kind']} entry ever loses it")
            missing[index] = hashes[-1].hex()
        elif entry["kind"] == "redaction" and missing.get(body["index"]) == body["leaf_hash"]:
            del missing[body["index"]]
    if missing:
        raise ValueError(f"entry {min(missing)} has no text, and no redaction says why")
    return hashes


def root_of(hashes: list[bytes]) -> bytes:
    """The Merkle tree hash over leaf hashes (RFC 6962, section 2.1)."""
    if len(hashes) < 2:
        return (hashes or [hashlib.sha256(b"").digest()])[0]
    half = 1 << (len(hashes) - 1).bit_length() - 1
    return hashlib.sha256(b"\x01" + root_of(hashes[:half]) + root_of(hashes[half:])).digest()


def check(folder: Path, given: argparse.Namespace) -> str:
    """What holds, in words; ValueError where something does not."""
    log = read_key(given.log_key)
    size, root, cosigned = read_checkpoint(folder / "checkpoint.txt", log, given.witness)
    wanted = len(given.witness) if given.witnesses is None else given.witnesses
    if cosigned < wanted:
        raise ValueError(f"{cosigned} of the {wanted} witnesses asked for cosigned")
    *lines, rest = (folder / "entries.jsonl").read_bytes().split(b"\n")
    hashes = leaves(lines)
    if rest or len(hashes) != size or root_of(hashes).hex() != root:
        raise ValueError(f"{len(hashes)} entries give the root {root_of(hashes).hex()}; signed was {root} of {size}")
    if given.checkpoint is not None:
        before, kept, _ = read_checkpoint(given.checkpoint, log, [])
        if before > size or root_of(hashes[:before]).hex() != kept:
            raise ValueError(f"it does not extend the checkpoint of {before} entries in {given.checkpoint}")
    return f"holds: {size} entries, root {root}, signed by {log[0]}, cosigned by {cosigned}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Check an exported audit log.")
    parser.add_argument("--log-key", required=True, help="the log's public key, from elsewhere than this folder")
    parser.add_argument("--witness", action="append", default=[], help="a witness's public key; once for each")
    parser.add_argument("--witnesses", type=int, help="how many of them must have cosigned; else all")
    parser.add_argument("--checkpoint", type=Path, help="a checkpoint kept elsewhere, which the log must extend")
    try:
        sys.stdout.write(check(Path(__file__).resolve().parent, parser.parse_args()) + "\n")
    except (ValueError, KeyError, TypeError, OSError, RecursionError) as error:
        sys.exit(f"does not hold: {error}")
