"""A passphrase comes from a descriptor, the environment or a person; never from the arguments."""

from __future__ import annotations

import io
import os

import pytest

from audit_pipeline.cli.passphrase import VARIABLE, read_passphrase
from audit_pipeline.errors import InputError


def descriptor_with(content: bytes) -> int:
    reading, writing = os.pipe()
    os.write(writing, content)
    os.close(writing)
    return reading


def test_a_descriptor_comes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "from the environment")
    assert read_passphrase(descriptor_with(b"from the pipe\nrest"), purpose="key") == b"from the pipe"
    assert read_passphrase(None, purpose="key") == b"from the environment"


@pytest.mark.parametrize("content", [b"", b"\n", b"\r\n"])
def test_an_empty_passphrase_is_refused(content: bytes) -> None:
    with pytest.raises(InputError) as caught:
        read_passphrase(descriptor_with(content), purpose="key")
    assert caught.value.code == "passphrase.empty"


def test_a_passphrase_is_bytes_whatever_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, os.fsdecode(b"\xff\xfe"))
    assert read_passphrase(None, purpose="key") == b"\xff\xfe"


def test_a_closed_descriptor_is_an_input_error() -> None:
    with pytest.raises(InputError) as caught:
        read_passphrase(987, purpose="key")
    assert caught.value.code == "passphrase.descriptor"


def test_nobody_to_ask_is_an_input_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    with pytest.raises(InputError) as caught:
        read_passphrase(None, purpose="key")
    assert caught.value.code == "passphrase.nobody-to-ask"
