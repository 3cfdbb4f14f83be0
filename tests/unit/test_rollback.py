from __future__ import annotations

from typing import Any

import pytest

from audit_pipeline.errors import InputError, RejectedError
from audit_pipeline.rollback import LIMIT, Released, device_class, last_released, require_rise
from audit_pipeline.trail.entry import Entry

KEY, OTHER = "a" * 64, "b" * 64


def seal(run: str, counter: Any, recipient: str = KEY, **more: Any) -> Entry:
    body = {"security_counter": counter, "recipient": recipient, **more}
    return Entry.compose(0, "seal", run, "2026-01-01T00:00:00Z", body)


def test_vendor_and_class_name_a_class_and_else_the_key_does() -> None:
    assert device_class("example.com", "wrist", KEY) == "example.com/wrist"
    assert device_class("example.com", None, KEY) == KEY
    assert device_class(None, None, KEY) == KEY


def test_the_last_released_is_the_highest_of_its_class() -> None:
    seals = [seal("a", 2, device_class=KEY), seal("b", 5, device_class=KEY), seal("c", 9, device_class="x/y")]
    assert last_released(seals, KEY) == Released("b", KEY, 5)
    assert last_released(seals, OTHER) is None


def test_an_entry_from_before_there_were_classes_counts_for_its_key() -> None:
    assert last_released([seal("old", 4)], KEY) == Released("old", KEY, 4)


@pytest.mark.parametrize("counter", [0, 4, 5])
def test_a_counter_must_be_above_it(counter: int) -> None:
    with pytest.raises(InputError) as caught:
        require_rise([seal("a", 5)], KEY, counter)
    assert caught.value.code == "seal.counter-not-risen"
    assert caught.value.hint == "set security_counter to 6 or more"


def test_the_line_is_named_by_what_it_is() -> None:
    for of_class, said in (("x.example/y", "for x.example/y, and"), (KEY, "for the recipient key aaaaaaaa…, and")):
        with pytest.raises(InputError) as caught:
            require_rise([seal("a", 5, device_class=of_class)], of_class, 5)
        assert said in caught.value.what


def test_a_first_one_and_a_higher_one_pass() -> None:
    require_rise([], KEY, 0)
    require_rise([seal("a", 5)], KEY, 6)
    require_rise([seal("a", 5)], OTHER, 0)


def test_a_counter_at_its_end_is_told_as_that() -> None:
    with pytest.raises(InputError) as caught:
        require_rise([seal("a", LIMIT)], KEY, LIMIT)
    assert caught.value.hint is not None
    assert "used up" in caught.value.hint


@pytest.mark.parametrize("body", [{}, {"security_counter": "5", "recipient": KEY}, {"security_counter": 5}])
def test_a_seal_that_says_no_counter_is_refused(body: dict[str, Any]) -> None:
    entry = Entry.compose(3, "seal", "strange", "2026-01-01T00:00:00Z", body)
    with pytest.raises(RejectedError) as caught:
        require_rise([entry], KEY, 9)
    assert caught.value.code == "trail.seal-entry"
