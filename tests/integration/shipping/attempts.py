"""Ways in which somebody tries to get a run that failed past the release gate. None of them may succeed."""

from __future__ import annotations

import base64
import json
import shutil
import time
from collections.abc import Callable
from contextlib import suppress

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from scene import FAILED, RELEASED, Scene

from audit_pipeline.canonical import sha256_hex
from audit_pipeline.errors import AuditError
from audit_pipeline.seal.waiver import WAIVER_TYPE
from audit_pipeline.trail.signed_entry import sign_entry

ATTEMPTS: dict[str, Callable[[Scene], object]] = {}
"""By name, in words."""


def attempt(carry_out: Callable[[Scene], object]) -> Callable[[Scene], object]:
    """Enter a function under its own name."""
    ATTEMPTS[carry_out.__name__.replace("_", " ")] = carry_out
    return carry_out


def genuine(scene: Scene) -> None:
    """How it is meant, and the only way through: two who may waive, a release, and the approvals of both roles."""
    assert scene.waive_by_two() == 0
    assert scene.release() == 0
    assert scene.approve_by_all() == 0


def genuine_by_hand(scene: Scene) -> None:
    """The same with entries that were forged as the attempts forge theirs, only of the right people: they count."""
    scene.forge_waiver("safety", "ombud")
    assert scene.release() == 0
    scene.forge_approval("clinician", "clinical")
    scene.forge_approval("regulator", "regulatory")


def _released_by(waive: Callable[[Scene], object]) -> Callable[[Scene], None]:
    """Whatever the waiver, everything else is done as it has to be."""

    def carry_out(scene: Scene) -> None:
        with suppress(AuditError):
            waive(scene)
        if scene.release() == 0:
            scene.approve_by_all()

    return carry_out


def _waiver(name: str, waive: Callable[[Scene], object]) -> None:
    ATTEMPTS[name] = _released_by(waive)


def _approval(name: str, approve: Callable[[Scene], object]) -> None:
    """The waiver is genuine and the release is made; the approvals are not."""

    def carry_out(scene: Scene) -> None:
        assert scene.waive_by_two() == 0
        assert scene.release() == 0
        approve(scene)

    ATTEMPTS[name] = carry_out


# Nobody, or one person.
_waiver("release without any waiver", lambda scene: None)
_waiver("one person waives", lambda scene: scene.waive("safety"))
_waiver("one person waives and cosigns", lambda scene: [scene.waive("safety"), scene.cosign("safety")])
_waiver("one person waives twice", lambda scene: [scene.waive("safety"), scene.waive("safety")])
_waiver("the same signature entered twice", lambda scene: scene.forge_waiver("safety", "safety"))
_waiver("the author of the policy is the second", lambda scene: [scene.waive("safety"), scene.cosign("design")])
_waiver("whoever signs the release is the second", lambda scene: [scene.waive("safety"), scene.cosign("release")])
_waiver("an approver is the second", lambda scene: [scene.waive("safety"), scene.cosign("clinician")])
_waiver("the root of the trust file is the second", lambda scene: [scene.waive("safety"), scene.cosign("root")])
_waiver("a stranger's key is the second", lambda scene: scene.forge_waiver("safety", "solo"))
_waiver("the author of the policy enters the second", lambda scene: scene.forge_waiver("safety", "design"))
_waiver("whoever signs the release enters the second", lambda scene: scene.forge_waiver("safety", "release"))


def _two_ids(scene: Scene) -> None:
    """One envelope with two signatures of one key, each under its own id."""
    body = sign_entry(scene.waiver_payload(), scene.signer("safety"), WAIVER_TYPE)
    envelope = json.loads(body["envelope"])
    (signature,) = envelope["signatures"]
    other = scene.ask("keys", "fingerprint", scene.public("ombud"))[1]["fingerprint"]
    envelope["signatures"] += [{**signature, "keyid": other}, {"sig": signature["sig"]}]
    scene.enter("waiver", {**body, "envelope": json.dumps(envelope, separators=(",", ":"))})
    scene.enter("waiver", {**body, "signer": other})


_waiver("one key under two ids", _two_ids)


# A trust file that counts one person twice.
@attempt
def one_key_under_two_names_in_the_trust_file(scene: Scene) -> None:
    shutil.copy(scene.public("safety"), scene.public("twin"))
    if scene.believe(("safety", "twin")) == 0:
        _released_by(lambda scene: scene.waive("safety"))(scene)


@attempt
def one_key_in_two_encodings_in_the_trust_file(scene: Scene) -> None:
    key = load_pem_public_key(scene.public("solo").read_bytes())
    point = key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    head = bytes.fromhex("3039301306072a8648ce3d020106082a8648ce3d030107032200")
    assert isinstance(key.curve, SECP256R1)  # type: ignore[union-attr]
    text = base64.encodebytes(head + point).decode()
    scene.public("twin").write_text(f"-----BEGIN PUBLIC KEY-----\n{text}-----END PUBLIC KEY-----\n")
    if scene.believe(("solo", "twin")) == 0:
        _released_by(lambda scene: scene.waive("solo"))(scene)


@attempt
def a_trust_file_that_asks_for_one_waiver_signature(scene: Scene) -> None:
    if scene.believe(("safety", "ombud"), "--threshold", "waiver=1") == 0:
        _released_by(lambda scene: scene.waive("safety"))(scene)


@attempt
def a_trust_file_in_which_the_author_waives(scene: Scene) -> None:
    scene.believe(("safety", "design"))
    _released_by(lambda scene: [scene.waive("safety"), scene.cosign("design")])(scene)


@attempt
def a_trust_file_in_which_the_releaser_waives(scene: Scene) -> None:
    if scene.believe(("safety", "release")) == 0:
        _released_by(lambda scene: [scene.waive("safety"), scene.cosign("release")])(scene)


@attempt
def a_trust_file_that_no_root_has_signed(scene: Scene) -> None:
    trust = scene.folder / "trust.yaml"
    ombud, solo = (scene.ask("keys", "fingerprint", scene.public(name))[1] for name in ("ombud", "solo"))
    text = trust.read_text()
    key = "".join(scene.public("ombud").read_text().split("\n")[1:-2])
    other = "".join(scene.public("solo").read_text().split("\n")[1:-2])
    trust.write_text(text.replace(ombud["fingerprint"], solo["fingerprint"]).replace(key, other))
    _released_by(lambda scene: [scene.waive("safety"), scene.cosign("solo")])(scene)


# A waiver of something else.
_BOTH = ("safety", "ombud")
_waiver("a waiver of another rule", lambda scene: scene.waive_by_two(rule="fairness[0]"))
_waiver("a waiver for another group", lambda scene: scene.waive_by_two(group="sex=male"))
_waiver("a waiver for everybody", lambda scene: scene.waive_by_two(group="overall"))
_waiver("a waiver whose limit is not enough", lambda scene: scene.waive_by_two(limit=0.85))
_waiver("a waiver whose limit is harder", lambda scene: scene.waive_by_two(limit=0.95))
_waiver("a waiver of another model", lambda scene: scene.forge_waiver(*_BOTH, model=sha256_hex(b"another")))
_waiver("a waiver under another policy", lambda scene: scene.forge_waiver(*_BOTH, policy=sha256_hex(b"another")))
_waiver("a waiver of a rule that is not there", lambda scene: scene.forge_waiver(*_BOTH, rule="fairness[7]"))
_waiver("a waiver of a rule of privacy", lambda scene: scene.forge_waiver(*_BOTH, rule="privacy[0]", group="overall"))


def _policy_changed(scene: Scene) -> None:
    """Two waive under a looser policy, and its waivers are shown under the one that counts."""
    looser = scene.folder / "looser.yaml"
    looser.write_text(scene.policy.read_text().replace("min: 0.9,", "min: 0.85,"))
    scene.ask("ship", scene.folder / "model.h5", "--policy", looser, "--run", "looser", *scene.places)
    model = scene.evidence("looser")
    scene.forge_waiver(*_BOTH, policy=model["policy"]["sha256"])


_waiver("a waiver of a run under a looser policy", _policy_changed)


# A waiver at another time.
_waiver("a waiver of 181 days", lambda scene: scene.waive_by_two(expires=scene.in_days(181)))
_waiver("a waiver of 181 days, entered", lambda scene: scene.forge_waiver(*_BOTH, expires=scene.in_days(181)))
_waiver("a waiver that has ended", lambda scene: scene.waive_by_two(expires=scene.in_days(-1)))
_waiver(
    "a waiver that has ended, entered",
    lambda scene: scene.forge_waiver(*_BOTH, issued=scene.in_days(-30), expires=scene.in_days(-1)),
)
_waiver(
    "a waiver that begins tomorrow",
    lambda scene: scene.forge_waiver(*_BOTH, issued=scene.in_days(1), expires=scene.in_days(90)),
)
_waiver("a waiver that ends before it begins", lambda scene: scene.forge_waiver(*_BOTH, issued=scene.in_days(120)))


@attempt
def a_waiver_that_ends_between_release_and_gate(scene: Scene) -> None:
    end = scene.in_days(15 / 86_400)
    scene.waive_by_two(expires=end)
    scene.release()
    scene.approve_by_all()
    while scene.in_days(0) < end:
        time.sleep(0.5)


# A waiver that says one thing and was signed as another.
def _edited(scene: Scene, **changes: object) -> None:
    payload = scene.waiver_payload(limit=0.89)
    for name in _BOTH:
        scene.enter("waiver", {**sign_entry(payload, scene.signer(name), WAIVER_TYPE), **changes})


_waiver("a waiver whose readable limit was changed", lambda scene: _edited(scene, limit=0.75))


def _payload_swapped(scene: Scene) -> None:
    """Signatures of a waiver that is not enough, over one that is."""
    too_little, enough_payload = scene.waiver_payload(limit=0.89), scene.waiver_payload()
    for name in _BOTH:
        body = sign_entry(too_little, scene.signer(name), WAIVER_TYPE)
        enough = sign_entry(enough_payload, scene.signer("solo"), WAIVER_TYPE)
        envelope = json.loads(body["envelope"])
        envelope["payload"] = json.loads(enough["envelope"])["payload"]
        scene.enter("waiver", {**enough, "signer": body["signer"], "envelope": json.dumps(envelope)})


_waiver("signatures of another waiver", _payload_swapped)


@attempt
def two_waive_after_the_release(scene: Scene) -> None:
    scene.waive("safety")
    scene.release()
    scene.cosign("ombud")
    scene.approve_by_all()


# Approvals that are none.
_approval("no approval", lambda scene: None)
_approval("the approval of one role of two", lambda scene: scene.approve("clinician", "clinical"))
_approval("one approver in both roles", lambda scene: [scene.approve("clinician", role) for role in _ROLES])
_approval("one approver twice", lambda scene: [scene.approve("clinician", "clinical") for _ in range(2)])
_approval("the author approves", lambda scene: [scene.approve("design", role) for role in _ROLES])
_approval("who signs the release approves", lambda scene: [scene.approve("release", role) for role in _ROLES])
_approval("who waived approves", lambda scene: [scene.approve("safety", role) for role in _ROLES])
_approval("one approver enters both roles", lambda scene: _forged(scene, "clinician"))
_approval("the author enters both roles", lambda scene: _forged(scene, "design"))
_approval("who signs the release enters both roles", lambda scene: _forged(scene, "release"))
_approval("a stranger enters both roles", lambda scene: _forged(scene, "solo"))

_ROLES = ("clinical", "regulatory")


def _forged(scene: Scene, by: str) -> None:
    scene.approve("clinician", "clinical")
    for role in _ROLES:
        scene.forge_approval(by, role)


def _of_another_run(scene: Scene) -> None:
    scene.approve("clinician", "clinical")
    scene.forge_approval("regulator", "regulatory", verdict=sha256_hex(b"another verdict"))


def _named_for_another_run(scene: Scene) -> None:
    scene.approve("clinician", "clinical")
    scene.forge_approval("regulator", "regulatory", run=FAILED)


_approval("an approval of another verdict", _of_another_run)
_approval("an approval that names another run", _named_for_another_run)


@attempt
def an_approver_whose_key_was_revoked(scene: Scene) -> None:
    genuine(scene)
    words = ("keys", "revoke", "regulator", "--reason", "stolen", "--trust", scene.folder / "trust.yaml")
    assert scene.ask(*words, "--trail", scene.trail)[0] == 0
    sign = ("keys", "trust", "sign", scene.folder / "trust.yaml", "--key", scene.key("root"), "--trail", scene.trail)
    assert scene.ask(*sign)[0] == 0


# A run that was edited, exchanged or withdrawn.
@attempt
def write_pass_into_the_evidence(scene: Scene) -> None:
    path = scene.run() / "evidence.json"
    path.write_text(path.read_text().replace('"FAIL"', '"PASS"'))
    scene.approve_by_all(FAILED)


@attempt
def a_policy_under_which_it_passes(scene: Scene) -> None:
    looser = scene.folder / "looser.yaml"
    looser.write_text(scene.policy.read_text().replace("min: 0.9,", "min: 0.7,"))
    code, _ = scene.ask("ship", scene.folder / "model.h5", "--policy", looser, "--run", RELEASED, *scene.places)
    assert code == 0
    scene.approve_by_all()


@attempt
def the_image_of_a_policy_under_which_it_passes(scene: Scene) -> None:
    a_policy_under_which_it_passes(scene)
    for name in ("firmware.bin", "release.dsse.json", "svr.dsse.json"):
        shutil.copy(scene.run(RELEASED) / name, scene.run())


@attempt
def the_policy_exchanged_in_the_folder(scene: Scene) -> None:
    a_policy_under_which_it_passes(scene)
    shutil.copy(scene.policy, scene.run(RELEASED) / "policy.yaml")


@attempt
def a_trail_of_its_own(scene: Scene) -> None:
    genuine(scene)
    for file in scene.folder.glob("audit.db*"):
        file.unlink()
    scene.believe()
    scene.approve_by_all()


@attempt
def a_release_that_was_withdrawn(scene: Scene) -> None:
    genuine(scene)
    words = ("revoke", RELEASED, "--reason", "an incident", "--key", scene.key("clinician"))
    assert scene.ask(*words, "--trail", scene.trail)[0] == 0


@attempt
def a_withdrawn_run_released_again(scene: Scene) -> None:
    a_release_that_was_withdrawn(scene)
    scene.release("winter")
    scene.approve_by_all("winter")
    shutil.rmtree(scene.run("winter"), ignore_errors=True)
