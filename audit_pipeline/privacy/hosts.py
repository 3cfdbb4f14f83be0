"""Names of machines in a file: URLs, host names of an inner or of the public network, IPv4 addresses.

Names in a graph have dots, slashes and colons, too (`keras.layers`, `serving_default_x:0`), and versions look like
addresses. A host name therefore has to end in a domain that machines have, and none of these is a word that Python
modules, file names or functions end in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_INNER = "internal|intranet|intra|local|localdomain|localhost|corp|lan|home|private|priv|arpa|onion"
_PUBLIC = (
    "com|org|net|edu|gov|mil|info|biz|cloud|dev|app|tech|health|hospital|clinic|care|example|test|invalid|io|ai|eu|"
    "uk|de|fr|ch|at|nl|be|lu|dk|se|fi|pl|cz|pt|es|ie|gr|hu|ro|jp|cn|kr|tw|hk|sg|ca|au|nz|br|mx|ru|ua|za|il|tr|us"
)
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_URL = re.compile(
    rb"\b(?:https?|wss?|ftps?|sftp|ssh|git|svn|s3|gs|abfss?|hdfs|nfs|smb|mqtts?|ldaps?|tcp|rsync|jdbc:\w+)"
    rb"://[A-Za-z0-9\[][^\s\0-\x1f\x7f-\xff\"'<>]{2,}"
)
_NAME = re.compile(rf"(?<![\w.@-])(?:{_LABEL}\.)+(?:{_INNER}|{_PUBLIC})(?![\w-]|\.\w)".encode(), re.IGNORECASE)
_NAMED = re.compile(
    rb"(?i)(?:host(?:_?name)?|server|node_?name|computer_?name|machine)[\"']?\s{0,2}[=:]\s{0,2}[\"']?([A-Za-z][\w-]{3,})"
)
_SHARE = re.compile(rb"(?<!\\)(?:\\\\){1,2}[A-Za-z0-9][\w.-]{2,}\\{1,2}[\w$.-]{2,}")
_AT = re.compile(rb"(?<![\w.@-])[A-Za-z][\w.-]{2,31}@[A-Za-z][\w-]{3,}(?![\w.-])")
_IPV4 = re.compile(rb"(?<![\w.+-])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\w+-]|\.\d)")
_VERSION = re.compile(rb"(?i)(?:version|release|v|ver|build|rev)[\"']?[\s:=]{0,3}[\"']?$")
_KNOWN = re.compile(
    rb"(?i)https?://(?:www\.)?(?:apache\.org/licenses|opensource\.org/licenses|creativecommons\.org|spdx\.org"
    rb"|tensorflow\.org|keras\.io|w3\.org)\b"
)
_SHORTEST = {_URL: 10, _SHARE: 8, _IPV4: 7, _NAME: 8, _AT: 14}
"""Characters below which chance makes one in some megabytes of weights."""


def find_hosts(blob: bytes) -> Iterator[tuple[int, int, str]]:
    """Offset, length and kind in words of every name of a machine, none twice.

    Licences and the libraries' own sites are no finds: they say nothing of the people behind a model.
    """
    taken: list[tuple[int, int]] = [match.span() for match in _KNOWN.finditer(blob)]
    for pattern, said in (
        (_URL, "URL"),
        (_SHARE, "network share"),
        (_IPV4, "IPv4 address"),
        (_NAME, "host name"),
        (_AT, "user at a host"),
    ):
        for match in pattern.finditer(blob):
            start, end = match.span()
            if any(start < other_end and other_start < end for other_start, other_end in taken):
                continue
            if (pattern is _IPV4 and _is_no_address(blob, match)) or end - start < _SHORTEST[pattern]:
                continue
            taken.append((start, end))
            yield start, end - start, said
    for match in _NAMED.finditer(blob):
        yield match.start(1), len(match[1]), "host name"


def _is_no_address(blob: bytes, match: re.Match[bytes]) -> bool:
    """Versions, masks, and addresses that every machine has."""
    first = int(match[0].split(b".")[0])
    return first in {0, 127, 255} or _VERSION.search(blob[max(0, match.start() - 16) : match.start()]) is not None
