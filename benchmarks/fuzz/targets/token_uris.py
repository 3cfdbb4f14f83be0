"""`pkcs11:` URIs, as they come from a policy or the command line, where any bytes can stand."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from urllib.parse import unquote_to_bytes

from audit_pipeline.seal.keys.pkcs11_uri import parse_uri
from benchmarks.fuzz.byte_edits import edit_bytes
from benchmarks.fuzz.codes import codes_of
from benchmarks.fuzz.json_edits import edit_text
from benchmarks.fuzz.target import Target
from benchmarks.fuzz.watch import Watch, require

_SAMPLES = (
    b"pkcs11:token=audit;object=release?module-path=/usr/lib/softhsm/libsofthsm2.so",
    b"pkcs11:serial=12;id=%01%ff;type=private?module-path=/a",
    b"pkcs11:token=a%20b;object=%E2%82%AC?module-path=/b",
    b"pkcs11:token=a;object=b?module-path=/b&pin-value=1234",
)


def target() -> Target:
    """A URI that is taken says no PIN, and where the library is."""
    return Target(_SAMPLES, _alter, _judge, codes_of(["keys.pkcs11_uri"]))


def _alter(draw: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    if draw.random() < 0.5:
        return edit_bytes(draw, data, others)
    return edit_text(draw, data.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogatepass")


def _judge(watch: Watch, data: bytes) -> None:
    # As Python decodes arguments.
    key = watch.ask(lambda: parse_uri(data.decode("utf-8", "surrogateescape")))
    if key is not None:
        require(key.module.is_absolute(), "a library without its absolute path is accepted")
        require(key.where.isprintable(), "a URI shows what no terminal should print")
        require(
            b"pin-" not in data.partition(b"?")[2] or b"pin-" in unquote_to_bytes(str(key.module)), "a PIN is accepted"
        )
