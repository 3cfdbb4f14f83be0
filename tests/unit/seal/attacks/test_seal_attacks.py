from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from attack import IMAGE_VIEWS, Attack, View
from attack_table import lines, page
from attacks_trust import genuine_trust
from attacks_waiver import genuine_waiver
from catalogue import ATTACKS
from genuine import NOW, SUITES, Genuine, Suite

from audit_pipeline.seal.verify import verify


@pytest.mark.parametrize("suite", SUITES, ids=str)
def test_what_the_attacks_start_from_is_accepted(suite: Suite) -> None:
    genuine = Genuine.of(suite)
    shown = genuine.shows()
    report = verify(shown.image, trust=shown.trust, companions=shown.companions, recipient=shown.recipient, now=NOW)
    assert report.level == "full"
    assert report.binds_every_byte


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_refused(attack: Attack) -> None:
    met = attack.meets(Genuine.of(attack.suite))
    assert met[attack.view] == attack.code
    if attack.view in IMAGE_VIEWS:
        before = IMAGE_VIEWS[: IMAGE_VIEWS.index(attack.view)]
        assert [met[view] for view in before] == [None] * len(before)


def test_the_catalogue_is_as_large_as_promised_and_names_each_attack_once() -> None:
    assert len(ATTACKS) >= 60
    assert [name for name, count in Counter(attack.name for attack in ATTACKS).items() if count > 1] == []


def test_whoever_has_the_release_or_the_devices_key_lets_nothing_pass_that_is_altered() -> None:
    for attack in ATTACKS:
        if attack.view is View.ALONE:
            met = attack.meets(Genuine.of(attack.suite))
            assert all(met.values()), attack.name


def test_the_page_says_what_is_so() -> None:
    written = Path(__file__).parents[4] / "docs" / "attacks.md"
    assert written.read_text(encoding="utf-8") == page(lines()), "run: python -m benchmarks.seal_attacks"


def test_what_attacks_on_waivers_and_trust_files_start_from_holds() -> None:
    genuine_waiver()()
    genuine_trust()()
