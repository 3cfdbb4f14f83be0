"""`pkcs11:` URIs (RFC 7512): which key in which token, and the library that talks to it; never the PIN.

    pkcs11:token=audit;object=release?module-path=/usr/lib/softhsm/libsofthsm2.so

Taken are `token` and `serial`, `object` and `id` (either, or both), `type=private`, and `module-path`, which must be
absolute: the library is loaded into this process, so whoever writes the URI chooses code that runs. An attribute that
is not known is refused, as section 2.3 asks of whoever would otherwise find another key than was meant.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes

from audit_pipeline.errors import InputError

_SCHEME = "pkcs11:"
_MAX_CHARACTERS = 4096
_PATH = {"token", "serial", "object", "id", "type"}
_QUERY = {"module-path"}
_PINS = {"pin-value", "pin-source"}
_EXAMPLE = "pkcs11:token=audit;object=release?module-path=/usr/lib/softhsm/libsofthsm2.so"


@dataclass(frozen=True)
class TokenKey:
    """A key pair in a token, and the PKCS#11 library to reach it by."""

    module: Path
    token: str | None
    serial: str | None
    label: str | None
    key_id: bytes | None

    @property
    def where(self) -> str:
        """The URI without its query, for messages."""
        named = (("token", self.token), ("serial", self.serial), ("object", self.label), ("id", self.key_id))
        return _SCHEME + ";".join(f"{name}={quote(value, safe='')}" for name, value in named if value is not None)


def is_token_uri(source: object) -> bool:
    """Whether a key is named by a `pkcs11:` URI and not by a path."""
    return str(source).startswith(_SCHEME)


def parse_uri(uri: str) -> TokenKey:
    """Read a URI.

    Raises:
        InputError: `signer.uri-pin` or `signer.uri`; the message never repeats the URI, for a PIN may stand in it.
    """
    if not uri.isascii():
        # RFC 7512 section 2.3 writes everything else in percent signs; a lone surrogate could not be unquoted.
        raise _refused("it has characters besides ASCII: write them in percent signs, as UTF-8")
    path, _, query = uri.removeprefix(_SCHEME).partition("?")
    given = [*_attributes(path, ";", _PATH), *_attributes(query, "&", _QUERY)]
    values = dict(given)
    if len(uri) > _MAX_CHARACTERS or len(values) != len(given):
        raise _refused("it is too long, or names an attribute twice")
    if values.get("type", b"private") != b"private":
        raise _refused("type, where given, must be private")
    module = Path(_text(values, "module-path") or "")
    if not module.is_absolute():
        raise _refused("module-path must give the PKCS#11 library's absolute path")
    key = TokenKey(module, _text(values, "token"), _text(values, "serial"), _text(values, "object"), values.get("id"))
    if not (key.token or key.serial) or not (key.label or key.key_id):
        raise _refused("it must name a token (token or serial) and a key (object or id)")
    return key


def _attributes(part: str, separator: str, known: set[str]) -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    for attribute in part.split(separator) if part else ():
        name, _, value = attribute.partition("=")
        if name in _PINS:
            raise InputError(
                "signer.uri-pin",
                "a PIN does not belong in a URI, which is written to policies, logs and lists of processes",
                where="pkcs11 URI",
                hint="take it out; the PIN is asked for, or read from --passphrase-fd or AUDIT_PASSPHRASE",
            )
        if name not in known:
            raise _refused(f"it has an attribute besides {', '.join(sorted(known))}")
        found.append((name, unquote_to_bytes(value)))
    return found


def _text(values: Mapping[str, bytes], name: str) -> str | None:
    value = values.get(name)
    try:
        text = value.decode() if value else None
    except UnicodeDecodeError:
        raise _refused(f"{name} is not UTF-8") from None
    if text is not None and "\0" in text:
        raise _refused(f"{name} holds a zero byte")
    return text


def _refused(what: str) -> InputError:
    return InputError("signer.uri", f"it cannot be used: {what}", where="pkcs11 URI", hint=f"as in {_EXAMPLE}")
