from __future__ import annotations

from collections import Counter
from functools import partial
from pathlib import Path

import pytest
from attack import IMAGE_VIEWS, Attack, View, judge, refusal
from attack_table import lines, page
from attacks_findings import genuine_findings
from attacks_trust import genuine_trust
from attacks_waiver import genuine_waiver
from catalogue import ATTACKS
from device_verifier import Opening, build_verifier, lacking_for_host
from genuine import NOW, Genuine
from shipped import SUITES, Suite

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


def test_whoever_has_all_of_it_lets_no_attack_on_an_image_pass() -> None:
    for attack in ATTACKS:
        met = attack.meets(Genuine.of(attack.suite))
        assert View.FULL not in met or met[View.FULL] is not None, attack.name


def test_the_page_says_what_is_so() -> None:
    written = Path(__file__).parents[4] / "docs" / "attacks.md"
    assert written.read_text(encoding="utf-8") == page(lines()), "run: python -m benchmarks.seal_attacks"


def test_what_attacks_on_waivers_trust_files_and_findings_start_from_holds() -> None:
    genuine_waiver()()
    genuine_trust()()
    genuine_findings()()


@pytest.mark.skipif(lacking_for_host() is not None, reason=lacking_for_host() or "")
def test_the_devices_own_verifier_says_the_same_of_every_image(tmp_path: Path) -> None:
    shown = {attack.name: attack.present(Genuine.of(attack.suite)) for attack in ATTACKS if attack.view in IMAGE_VIEWS}
    # Both keys were built into the device: whether they are one is asked before, and not on it.
    del shown["sign with the key that receives"]
    openings = [Opening(each.image, each.trust.image[0], each.recipient) for each in shown.values()]
    said = build_verifier(tmp_path).statuses(openings)
    ours = [refusal(partial(judge, each, View.DEVICE)) or "ok" for each in shown.values()]
    assert dict(zip(shown, said, strict=True)) == dict(zip(shown, ours, strict=True))
