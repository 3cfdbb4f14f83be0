"""Pieces of different runs of one maker, each genuine and rightly signed, that do not belong together."""

from __future__ import annotations

import dataclasses
from itertools import combinations

from attack import Attacker, Family, View
from genuine import Genuine, Presented
from shipped import release_of

RUNS = Family("mixing runs")

_FIRST_FAULT = {
    frozenset({"image"}): "release.image",
    frozenset({"release"}): "release.image",
    frozenset({"verdict"}): "verdict.digest",
    frozenset({"policy"}): "policy.mismatch",
    frozenset({"model"}): "model.mismatch",
    frozenset({"image", "release"}): "verdict.digest",
    frozenset({"image", "verdict"}): "release.image",
    frozenset({"image", "policy"}): "release.image",
    frozenset({"image", "model"}): "release.image",
    frozenset({"release", "verdict"}): "release.image",
    frozenset({"release", "policy"}): "release.image",
    frozenset({"release", "model"}): "release.image",
    frozenset({"verdict", "policy"}): "verdict.digest",
    frozenset({"verdict", "model"}): "verdict.digest",
    frozenset({"policy", "model"}): "policy.mismatch",
}
_HOPES = {
    "image": "an old image under today's papers",
    "release": "today's image under an old release",
    "verdict": "today's image under an old verdict",
    "policy": "today's image was judged by the old, laxer policy",
    "model": "the old model is shown for what is in today's image",
}


def _enter(parts: tuple[str, ...]) -> None:
    hope = (
        _HOPES[parts[0]]
        if len(parts) == 1
        else f"{parts[0]} and {parts[1]} of one run agree, the rest is not looked at"
    )
    name = f"give an older run's {' and '.join(parts)}"

    @RUNS.attack(hope, code=_FIRST_FAULT[frozenset(parts)], view=View.ATTESTED, name=name)
    def present(genuine: Genuine) -> Presented:
        return genuine.shows(**{part: getattr(genuine.older, part) for part in parts})


for _count in (1, 2):
    for _parts in combinations(_HOPES, _count):
        _enter(_parts)


def _released(genuine: Genuine, image: bytes) -> Presented:
    """An image under a release of its own, signed by the trusted key."""
    return genuine.shows(image=image, release=release_of(genuine.run, image))


@RUNS.attack("a policy is known by its name", code="policy.mismatch", view=View.ATTESTED)
def give_another_policy_of_the_same_name(genuine: Genuine) -> Presented:
    return genuine.shows(policy=genuine.run.policy + b"# at most 40 %\n")


@RUNS.attack("line ends do not matter", code="policy.mismatch", view=View.ATTESTED)
def give_the_policy_with_other_line_ends(genuine: Genuine) -> Presented:
    return genuine.shows(policy=genuine.run.policy.replace(b"\n", b"\r\n"))


@RUNS.attack("zeros behind a model are padding", code="model.mismatch", view=View.ATTESTED)
def give_the_model_with_zeros_behind_it(genuine: Genuine) -> Presented:
    return genuine.shows(model=genuine.run.model + bytes(16))


@RUNS.attack(
    "a model that failed is sealed all the same", code="verdict.outcome", view=View.ATTESTED, by=Attacker.INSIDER
)
def seal_under_a_verdict_of_FAIL(genuine: Genuine) -> Presented:
    return genuine.sealed_under(outcome="FAIL")


@RUNS.attack("what nobody could measure passes", code="verdict.outcome", view=View.ATTESTED, by=Attacker.INSIDER)
def seal_under_a_verdict_of_INCONCLUSIVE(genuine: Genuine) -> Presented:
    return genuine.sealed_under(outcome="INCONCLUSIVE")


@RUNS.attack("a word that looks like PASS", code="verdict.outcome", view=View.ATTESTED, by=Attacker.INSIDER)
def seal_under_a_verdict_of_pass_in_small_letters(genuine: Genuine) -> Presented:
    return genuine.sealed_under(outcome="pass")


@RUNS.attack("a good model's verdict for a bad one", code="verdict.model", view=View.ATTESTED, by=Attacker.INSIDER)
def seal_under_a_verdict_about_another_model(genuine: Genuine) -> Presented:
    return genuine.sealed_under(model=genuine.older.model)


@RUNS.attack(
    "one verdict for two models, of which one was judged", code="verdict.model", view=View.ATTESTED, by=Attacker.INSIDER
)
def seal_under_a_verdict_about_two_models(genuine: Genuine) -> Presented:
    return genuine.sealed_under(also=genuine.older.model)


@RUNS.attack(
    "a lax policy's verdict under a strict one", code="verdict.policy", view=View.ATTESTED, by=Attacker.INSIDER
)
def seal_under_a_verdict_by_another_policy(genuine: Genuine) -> Presented:
    return genuine.sealed_under(policy=genuine.older.policy)


@RUNS.attack(
    "the run was struck from the log after its verdict", code="verdict.log", view=View.ATTESTED, by=Attacker.INSIDER
)
def seal_under_a_verdict_of_another_log(genuine: Genuine) -> Presented:
    return genuine.sealed_under(log_root="0" * 64)


@RUNS.attack(
    "the papers of a good model around a bad one, which nobody sees without a device's key",
    code="image.model",
    view=View.DEVICE,
    by=Attacker.INSIDER,
)
def seal_another_model_than_the_one_that_is_named(genuine: Genuine) -> Presented:
    plain = bytes(len(genuine.pieces.payload))
    return _released(genuine, genuine.signed_anew(genuine.pieces, plain))


@RUNS.attack("bytes behind the model that no digest names", code="image.padding", view=View.DEVICE, by=Attacker.INSIDER)
def seal_data_in_the_padding(genuine: Genuine) -> Presented:
    model = genuine.run.model
    plain = model + b"\xff" * (len(genuine.pieces.payload) - len(model))
    return _released(genuine, genuine.signed_anew(genuine.pieces, plain))


@RUNS.attack(
    "whoever may sign releases alters an image first",
    code="image.hash",
    view=View.DEVICE,
    by=Attacker.INSIDER,
)
def release_an_image_that_was_altered(genuine: Genuine) -> Presented:
    payload = bytes([genuine.pieces.payload[0] ^ 1]) + genuine.pieces.payload[1:]
    return _released(genuine, genuine.pieces.but(payload=payload).whole())


@RUNS.attack(
    "it goes to other devices than its release says",
    code="release.recipient",
    view=View.FULL,
    by=Attacker.INSIDER,
)
def release_for_another_device(genuine: Genuine) -> Presented:
    run = dataclasses.replace(genuine.run, recipient=genuine.other_device)
    return genuine.shows(release=release_of(run, run.image))


@RUNS.attack(
    "whoever may sign releases signs a verdict too",
    code="attestation.signature",
    view=View.ATTESTED,
    by=Attacker.INSIDER,
)
def sign_the_verdict_with_the_key_of_releases(genuine: Genuine) -> Presented:
    return genuine.shows(trust=genuine.with_roles(verdict=genuine.second))


@RUNS.attack(
    "whoever may sign verdicts releases too", code="attestation.signature", view=View.ATTESTED, by=Attacker.INSIDER
)
def sign_the_release_with_the_key_of_verdicts(genuine: Genuine) -> Presented:
    return genuine.shows(trust=genuine.with_roles(release=genuine.second))
