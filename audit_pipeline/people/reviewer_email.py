"""A reviewer's e-mail address, which no trail ever holds: only a salted digest, by which they show later who it was.

Addresses can be guessed, so a bare digest would give them away. The 16 random bytes before it are the reviewer's to
keep; without them nobody finds out whose address it was.
"""

from __future__ import annotations

from audit_pipeline.canonical import sha256_hex
from audit_pipeline.errors import InputError

SALT_BYTES = 16


def salted_email(email: str, salt: bytes) -> str:
    """SHA-256 of the salt and the address after it (UTF-8), hexadecimal.

    Args:
        email: the address.
        salt: 16 random bytes.

    Raises:
        InputError: `approval.email`, it is no address.
        ValueError: the salt has another length.
    """
    if len(salt) != SALT_BYTES:
        raise ValueError(f"a salt has {SALT_BYTES} bytes")
    name, at, domain = email.partition("@")
    if not (name and at and domain) or not email.isprintable() or " " in email:
        # It is not repeated: messages end in the logs of a CI.
        raise InputError("approval.email", "this is no e-mail address", where="--email", hint="or leave it out")
    return sha256_hex(salt + email.encode())
