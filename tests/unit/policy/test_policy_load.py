from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from audit_pipeline.errors import ExitCode, InputError
from audit_pipeline.policy.boards import BOARDS
from audit_pipeline.policy.load import LoadedPolicy, load_policy, load_recorded_policy, says_the_same

Read = Callable[..., LoadedPolicy]


def refused(read: Read, more: str = "", **replaced: str) -> InputError:
    with pytest.raises(InputError) as caught:
        read(more, **replaced)
    assert caught.value.exit_code is ExitCode.INPUT
    return caught.value


def test_a_policy_carries_its_exact_bytes_and_their_digest(
    write_policy: Callable[..., Path], read_policy: Read
) -> None:
    raw = write_policy("# a last word\n").read_bytes()
    loaded = read_policy("# a last word\n")
    assert loaded.raw == raw
    assert loaded.sha256 == hashlib.sha256(raw).hexdigest()


def test_files_are_found_from_the_policy_not_from_the_working_folder(tmp_path: Path, read_policy: Read) -> None:
    loaded = read_policy("seal: {signer: keys/a.pem, recipient: /b.pem, security_counter: 1, version: 1.0.0}\n")
    assert loaded.manifest == tmp_path / "data/set.yaml"
    assert (loaded.signer, loaded.recipient) == (tmp_path / "keys/a.pem", Path("/b.pem"))


def test_without_a_seal_there_are_no_keys(read_policy: Read) -> None:
    loaded = read_policy()
    assert (loaded.signer, loaded.model_signer, loaded.recipient) == (None, None, None)


def test_a_key_in_a_token_is_no_file(tmp_path: Path, read_policy: Read) -> None:
    uri = "pkcs11:token=audit;object=release?module-path=/usr/lib/softhsm/libsofthsm2.so"
    loaded = read_policy(
        f'seal: {{signer: "{uri}", model_signer: m.pem, recipient: b.pem, security_counter: 1, version: 1.0.0}}\n'
    )
    assert (loaded.signer, loaded.model_signer) == (uri, tmp_path / "m.pem")


def test_a_device_has_all_that_its_bootloader_knows(read_policy: Read) -> None:
    seal = read_policy("""\
seal:
  signer: a.pem
  recipient: b.pem
  security_counter: 1
  version: 1.0.0
  device:
    {vendor: example.com, class: wrist, aes: 256, slot_bytes: 65536, depends_on: {image: 1, version: 2.0.0}}
""").value.seal
    assert seal is not None
    assert seal.device is not None
    assert (seal.device.vendor, seal.device.class_, seal.device.aes) == ("example.com", "wrist", 256)
    assert seal.device.depends_on is not None
    assert (seal.device.depends_on.image, seal.device.depends_on.version) == (1, "2.0.0")


def test_a_place_is_shown_as_file_and_line(read_policy: Read) -> None:
    loaded = read_policy()
    assert loaded.where(("fairness", 0, "min")) == f"{loaded.path}:14"


def test_a_known_board_gives_its_limits(read_policy: Read) -> None:
    assert read_policy().board == BOARDS["rp2040"]


def test_limits_of_the_policy_override_the_boards(read_policy: Read) -> None:
    board = read_policy(target="target: {board: rp2040, ram_kib: 100}").board
    assert (board.id, board.flash_kib, board.ram_kib) == ("rp2040", BOARDS["rp2040"].flash_kib, 100)
    assert board.source.startswith("ram_kib from the policy; else Raspberry Pi")


def test_a_device_of_ones_own_needs_no_board(read_policy: Read) -> None:
    board = read_policy(target="target: {flash_kib: 64, ram_kib: 16}").board
    assert (board.id, board.flash_kib, board.ram_kib) == ("custom", 64, 16)


def test_an_unknown_board_is_refused_with_the_one_that_was_meant(read_policy: Read) -> None:
    error = refused(read_policy, target="target: {board: rp2400}")
    assert error.code == "policy.unknown-board"
    assert str(error).endswith("fair.yaml:12: target.board: no board rp2400 is known, did you mean rp2040?")
    assert all(board in str(error.hint) for board in BOARDS)


@pytest.mark.parametrize(
    ("replaced", "complaint"),
    [
        ({"intended_use": "  intended_use: ''"}, "4: human_centred.intended_use: must not be empty"),
        ({"affected": "  affected: []"}, "5: human_centred.affected: must not be empty"),
        ({"affected": "  affected: [' ']"}, "5: human_centred.affected[0]: must not be empty"),
        ({"oversight": "  oversight: {who_can_stop: c}"}, "8: human_centred.oversight.how_to_appeal: missing key"),
        ({"target": "target: {flash_kib: 1}"}, "12: target: give a board, or both flash_kib and ram_kib"),
        ({"target": "target: {board: rp2040, ram_kib: 0}"}, "12: target.ram_kib: must be above 0, not 0"),
        ({"name": "name: Small one"}, '2: name: "Small one" does not have the form'),
        ({"version": "version: 2"}, "1: version: must be 1, not 2"),
    ],
)
def test_sections_are_checked(read_policy: Read, replaced: dict[str, str], complaint: str) -> None:
    assert f"fair.yaml:{complaint}" in str(refused(read_policy, **replaced))


def test_without_the_human_centred_section_there_is_no_policy(
    read_policy: Read, write_policy: Callable[..., Path]
) -> None:
    path = write_policy()
    lines = path.read_text().splitlines()
    path.write_text("\n".join(lines[:2] + lines[10:]))
    with pytest.raises(InputError, match="human_centred: missing key"):
        load_policy(path)


@pytest.mark.parametrize(
    ("rule", "complaint"),
    [
        ("{metric: recall, class: V}", "give exactly one of min, max, max_drop, max_rise, max_gap; found none"),
        ("{metric: recall, class: V, min: 0.1, max_drop: 0.1}", "found min, max_drop"),
        ("{metric: recall, class: V, max: 0.1}", "recall is better when higher: use min or max_drop instead of max"),
        ("{metric: false_alarm_rate, min: 0.1}", "false_alarm_rate is better when lower: use max or max_rise"),
        ("{metric: recall, min: 0.1}", "recall needs a class"),
        ("{metric: accuracy, class: V, min: 0.1}", "accuracy is over all classes"),
        ("{metric: accuracy, max_gap: 0.1}", "overall is not a group to compare"),
        ("{metric: accuracy, min: 1.5}", "min of accuracy lies between 0 and 1; found 1.5"),
        ("{metric: accuracy, min: -0.1}", "fairness[1].min: must be at least 0, not -0.1"),
        ("{metric: accuracy, min: 0.5, groups: [a+b]}", 'groups[0]: "a+b" does not have the form'),
    ],
)
def test_impossible_fairness_rules_are_refused(read_policy: Read, rule: str, complaint: str) -> None:
    error = refused(read_policy, f"  - {rule}\n")
    assert str(error).startswith(f"{error.where}: fairness[1]")
    assert str(error.where).endswith("fair.yaml:15")
    assert complaint in error.what


def sealed_for(device: str, signer: str = "a") -> str:
    return f'seal: {{signer: "{signer}", recipient: b, security_counter: 1, version: 1.0.0, device: {device}}}'


@pytest.mark.parametrize(
    ("section", "complaint"),
    [
        ("privacy: [{attack: membership, fpr: 0.1, max_tpr: 0.05}]", "even a blind guess would exceed it"),
        ("privacy: [{attack: membership, fpr: 0, max_tpr: 0.05}]", "privacy[0].fpr: must be above 0, not 0"),
        ("compress: {recipe: []}", "compress.recipe: must not be empty"),
        ("compress: {recipe: [{quantize: {}}, {quantize: {}}]}", "must quantize exactly once"),
        ("compress: {recipe: [{quantize: {}}, {prune_weights: {sparsity: 0.5}}]}", "as its last step"),
        ("compress: {recipe: [{quantise: {}}]}", "did you mean quantize?"),
        ("compress: {recipe: [{prune_weights: {sparsity: 1}}, {quantize: {}}]}", "sparsity: must be below 1"),
        (
            "compress: {recipe: [{train_private: {noise: 1, delta: 1.0e-5}}, {fine_tune: {}}, {quantize: {}}]}",
            "compress.recipe: step 2 (fine_tune) learns from the train split without privacy",
        ),
        (
            "compress: {recipe: [{train_private: {noise: 1, delta: 1.0e-5}}, {quantize: {aware: {}}}]}",
            "step 2 (quantize)",
        ),
        (
            "compress: {recipe: [{cluster: {}}, {train_private: {noise: 1, delta: 1.0e-5}}, {quantize: {}}]}",
            "first step",
        ),
        ("compress: {recipe: [{train_private: {delta: 1.0e-5}}, {quantize: {}}]}", "give either noise or epsilon"),
        ("compress: {recipe: [{quantize: {outputs: {round: 4, top: 1}}}]}", "give either round or top"),
        ("compress: {recipe: [{quantize: {scheme: int16x8, outputs: {top: 1}}}]}", "top class of int8 scores only"),
        ("compress: {seed: 3}", "give either a recipe or a search"),
        ("compress: {search: {}, recipe: [{quantize: {}}]}", "give either a recipe or a search"),
        ("compress: {search: {holdout: 0.6}}", "compress.search.holdout: must be at most 0.5, not 0.6"),
        ("compress: {search: {trails: 3}}", "did you mean trials?"),
        ("compress: {recipe: [{prune_weights: {}}, {quantize: {}}]}", "sparsity: missing key"),
        ("compress: {recipe: [{prune_weights: {pattern: 2:4, sparsity: 0.5}}, {quantize: {}}]}", "leave sparsity out"),
        ("compress: {recipe: [{distill: {student: a.h5, width: 0.5}}, {quantize: {}}]}", "student or width, not both"),
        ("compress: {recipe: [{quantize: {scheme: mixed}}]}", "mixed needs lift"),
        ("compress: {recipe: [{quantize: {lift: 2}}]}", "only mixed takes it"),
        ("compress: {recipe: [{quantize: {scheme: int16x8, aware: {}}}]}", "only int8 is trained"),
        ("compress: {recipe: [{quantize: {scheme: int4}}]}", "compress.recipe[0].quantize.scheme"),
        ("statistics: {confidence: 95}", "statistics.confidence: must be below 1, not 95"),
        ("seal: {signer: a, recipient: b, security_counter: 1, version: 1.0}", "seal.version: must be text, not 1.0"),
        (sealed_for("{class: wrist}"), "seal.device: a class needs the vendor"),
        (sealed_for("{aes: 192}"), "seal.device.aes: must be 128 or 256, not 192"),
        (sealed_for("{slot_bytes: 0}"), "seal.device.slot_bytes: must be above 0, not 0"),
        (sealed_for("{depends_on: {image: 256, version: 1.0.0}}"), "depends_on.image: must be below 256, not 256"),
        (sealed_for("{vendour: example.com}"), "did you mean vendor?"),
        (sealed_for("{}", signer="pkcs11:token=t;object=o?pin-value=1234"), "a PIN does not belong in a policy"),
        (sealed_for("{}", signer="pkcs11:pin-value=1234;token=t;object=o"), "a PIN does not belong in a policy"),
        (sealed_for("{}", signer="PKCS11:token=t;PIN-VALUE=1234"), "a PIN does not belong in a policy"),
    ],
)
def test_impossible_sections_are_refused(read_policy: Read, section: str, complaint: str) -> None:
    assert complaint in refused(read_policy, section).what


def test_a_policy_of_an_older_version_is_read_for_the_record_and_ships_nothing_new(
    write_policy: Callable[..., Path],
) -> None:
    path = write_policy()
    now = load_recorded_policy(path)
    lines = path.read_text().splitlines()
    path.write_text("\n".join(line for line in lines if not line.startswith(("  never_record", "  author"))))
    with pytest.raises(InputError, match="never_record: missing key: what no log, report or release may ever hold"):
        load_policy(path)
    older = load_recorded_policy(path)
    assert older.value.human_centred.never_record == ()
    written = older.value.model_dump(mode="json", by_alias=True, exclude_none=True)
    for key in ("never_record", "author"):
        del written["human_centred"][key]
    assert says_the_same(older, written)
    assert not says_the_same(now, written)


def test_a_document_that_says_something_else_or_nothing_is_told_from_the_policy(read_policy: Read) -> None:
    loaded = read_policy()
    document = loaded.value.model_dump(mode="json", by_alias=True, exclude_none=True)
    del document["on_inconclusive"]  # as if an older version had not known this key
    recorded = load_recorded_policy(loaded.path)
    assert says_the_same(recorded, document)
    assert not says_the_same(recorded, {**document, "name": "other"})
    assert not says_the_same(recorded, {})


def test_approvals_need_the_authors_key(read_policy: Read) -> None:
    asked = "approvals: {clinical-safety: 2}\n"
    assert "approvals need human_centred.author.key" in str(refused(read_policy, asked))
    keyed = f"  author: {{role: e, key: {'ab' * 32}}}"
    assert read_policy(asked, author=keyed).value.approvals == {"clinical-safety": 2}


@pytest.mark.parametrize("approvals", ["{}", "{clinical-safety: 0}", "{'Clinical safety': 1}", "2"])
def test_approvals_name_roles_and_how_many(read_policy: Read, approvals: str) -> None:
    keyed = f"  author: {{role: e, key: {'ab' * 32}}}"
    assert ": approvals" in str(refused(read_policy, f"approvals: {approvals}\n", author=keyed))
