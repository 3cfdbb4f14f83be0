"""A passphrase comes from a descriptor, the environment or a person; never from the arguments."""

from __future__ import annotations

import getpass
import io
import os
from collections.abc import Iterator
from pathlib import Path

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


def test_each_key_has_its_own_line_of_the_descriptor() -> None:
    descriptor = descriptor_with(b"of the signer\r\nof the device\n")
    assert read_passphrase(descriptor, purpose="signer") == b"of the signer"
    assert read_passphrase(descriptor, purpose="device") == b"of the device"
    with pytest.raises(InputError):
        read_passphrase(descriptor, purpose="third")


def test_a_descriptor_that_never_ends_a_line_is_read_for_a_while_only() -> None:
    with Path("/dev/zero").open("rb") as endless:
        assert len(read_passphrase(endless.fileno(), purpose="key")) == 4096


class Terminal(io.StringIO):
    """Somebody to ask."""

    def isatty(self) -> bool:
        return True


def answering(monkeypatch: pytest.MonkeyPatch, *answers: str) -> None:
    """Let a person at a terminal give these answers, and then press Ctrl-D."""
    given: Iterator[str] = iter(answers)

    def ask(_: str) -> str:
        for answer in given:
            return answer
        raise EOFError

    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr(getpass, "getpass", ask)


def test_a_new_passphrase_is_asked_for_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, "the same", "the same", "one", "another")
    assert read_passphrase(None, purpose="key", confirm=True) == b"the same"
    with pytest.raises(InputError) as caught:
        read_passphrase(None, purpose="key", confirm=True)
    assert caught.value.code == "passphrase.differs"
    assert "another" not in str(caught.value.to_json())


def test_no_answer_is_no_passphrase(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch)
    with pytest.raises(InputError) as caught:
        read_passphrase(None, purpose="key")
    assert caught.value.code == "passphrase.empty"
