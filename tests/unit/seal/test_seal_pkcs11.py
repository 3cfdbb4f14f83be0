"""A signer in a token signs what the rest of the world verifies, and says what is wrong with it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.hashes import SHA256
from key_samples import code_of
from soft_token import MODULE, PIN, SoftToken, needs_token, soft_token

from audit_pipeline.cli.main import main
from audit_pipeline.errors import InputError
from audit_pipeline.seal import dsse
from audit_pipeline.seal.keys import load as keys
from audit_pipeline.seal.keys import pkcs11
from audit_pipeline.seal.keys.forms import fingerprint, kind_of, spki
from audit_pipeline.seal.keys.quorum import Quorum

URI = f"pkcs11:token=audit;object=release?module-path={MODULE or '/usr/lib/softhsm/libsofthsm2.so'}"


@pytest.fixture(scope="module")
def token(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SoftToken]:
    for made in soft_token(tmp_path_factory.mktemp("token")):
        made.make("p256", "release", b"\x01")
        made.make("ed25519", "edwards", b"\x02")
        made.make("p384", "larger", b"\x03")
        made.make("p256", "twice", b"\x04")
        made.make("p256", "twice", b"\x05")
        yield made


@needs_token
def test_a_p256_key_in_a_token_signs_what_anybody_verifies(token: SoftToken) -> None:
    signer = keys.load_signer(token.uri(), PIN)
    public = pkcs11.load_token_public(token.uri())
    assert kind_of(public) == "p256"
    assert spki(public) == spki(signer.public)
    for number in range(8):
        public.verify(signer.sign(bytes([number])), bytes([number]), ECDSA(SHA256()))


@needs_token
def test_an_ed25519_key_in_a_token_signs_what_anybody_verifies(token: SoftToken) -> None:
    signer = keys.load_signer(token.uri("object=edwards"), PIN)
    assert kind_of(signer.public) == "ed25519"
    signer.public.verify(signer.sign(b"message"), b"message")


@needs_token
@pytest.mark.parametrize("key", ["object=release", "object=edwards"])
def test_an_attestation_is_signed_by_a_token(token: SoftToken, key: str) -> None:
    signer = keys.load_signer(token.uri(key), PIN)
    envelope = dsse.sign(b"{}", [signer])
    assert dsse.verify(envelope, Quorum((pkcs11.load_token_public(token.uri(key)),)), where="here") == b"{}"


@needs_token
@pytest.mark.parametrize("key", ["id=%01", "object=release;id=%01", "object=release;type=private"])
def test_a_key_is_found_by_label_or_id_or_both(token: SoftToken, key: str) -> None:
    assert spki(pkcs11.load_token_public(token.uri(key))) == spki(pkcs11.load_token_public(token.uri()))


@needs_token
@pytest.mark.parametrize(
    ("key", "code"),
    [
        ("object=none", "signer.no-key"),
        ("object=release;id=%02", "signer.no-key"),
        ("object=twice", "signer.ambiguous"),
        ("object=larger", "signer.key-type"),
    ],
)
def test_a_key_that_cannot_be_meant_is_refused(token: SoftToken, key: str, code: str) -> None:
    assert code_of(keys.load_signer, token.uri(key), PIN) == code
    assert code_of(pkcs11.load_token_public, token.uri(key)) == code


@needs_token
def test_a_uri_that_came_as_a_path_is_a_uri_still(token: SoftToken) -> None:
    assert spki(keys.load_signer(Path(token.uri()), PIN).public) == spki(pkcs11.load_token_public(token.uri()))
    keys.check_private_file(Path(token.uri()))


@needs_token
def test_one_of_two_keys_with_a_label_is_chosen_by_its_id(token: SoftToken) -> None:
    first, second = (fingerprint(pkcs11.load_token_public(token.uri(f"object=twice;id=%0{n}"))) for n in (4, 5))
    assert first != second


@needs_token
def test_a_token_that_is_not_there_is_named(token: SoftToken) -> None:
    uri = token.uri().replace("token=audit", "token=other")
    assert code_of(keys.load_signer, uri, PIN) == "signer.no-token"
    assert code_of(keys.load_signer, token.uri().replace("token=audit", "serial=0123"), PIN) == "signer.no-token"


@needs_token
@pytest.mark.parametrize("pin", [b"0000", b"x" * 500, b"\xff\xfe\xfd\xfc"])
def test_a_wrong_pin_is_said_before_any_work(token: SoftToken, pin: bytes) -> None:
    assert code_of(keys.load_signer, token.uri(), pin) == "signer.wrong-pin"


@needs_token
def test_a_token_signs_beside_tensorflow(token: SoftToken) -> None:
    """Whose BoringSSL has functions of the same names as the OpenSSL that SoftHSM calls."""
    program = (
        "import sys, tensorflow\n"
        "from audit_pipeline.seal.keys.load import load_signer\n"
        "for uri in sys.argv[2:]:\n"
        "    print(len(load_signer(uri, sys.argv[1].encode()).sign(b'message')))"
    )
    keys = {"object=release": range(68, 73), "object=edwards": (64,)}
    command = [sys.executable, "-c", program, PIN.decode(), *map(token.uri, keys)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for length, lengths in zip(done.stdout.split(), keys.values(), strict=True):
        assert int(length) in lengths


@needs_token
def test_an_empty_pin_never_reaches_the_token(token: SoftToken) -> None:
    assert code_of(keys.load_signer, token.uri(), b"") == "keys.passphrase-empty"


@needs_token
def test_a_private_key_that_goes_away_later_is_an_error_and_no_signature(token: SoftToken) -> None:
    from pkcs11 import Attribute, ObjectClass

    token.make("p256", "passing", b"\x06")
    signer = keys.load_signer(token.uri("object=passing"), PIN)
    signer.sign(b"before")
    with token.session() as session:
        for found in list(session.get_objects({Attribute.LABEL: "passing", Attribute.CLASS: ObjectClass.PRIVATE_KEY})):
            found.destroy()
    assert code_of(signer.sign, b"after") == "signer.no-key"


@needs_token
def test_a_public_key_beside_another_private_one_is_noticed(token: SoftToken) -> None:
    from pkcs11 import Attribute

    token.make("p256", "mixed", b"\x07")
    token.make("p256", "strange", b"\x08")
    with token.session() as session:
        for found in list(session.get_objects({Attribute.ID: b"\x07"})):
            if found.object_class.name == "PUBLIC_KEY":
                found.destroy()
        for found in list(session.get_objects({Attribute.ID: b"\x08"})):
            if found.object_class.name == "PUBLIC_KEY":
                found[Attribute.LABEL] = "mixed"
    signer = keys.load_signer(token.uri("object=mixed"), PIN)
    assert code_of(signer.sign, b"x") == "signer.failed"


@needs_token
def test_what_is_no_pkcs11_library_is_refused(token: SoftToken, tmp_path: Path) -> None:
    (tmp_path / "text.so").write_text("no library")
    for module in ("/nowhere/lib.so", str(tmp_path / "text.so"), str(tmp_path)):
        uri = f"pkcs11:token=audit;object=release?module-path={module}"
        assert code_of(keys.load_signer, uri, PIN) == "signer.module"


@needs_token
def test_what_shows_without_the_token_is_checked_without_it(token: SoftToken) -> None:
    keys.check_private_file(token.uri())
    assert code_of(keys.check_private_file, "pkcs11:token=audit;object=release?module-path=/nowhere") == "signer.module"


def test_without_python_pkcs11_the_way_to_get_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pkcs11", None)
    for call, extra in ((keys.load_signer, (PIN,)), (keys.check_private_file, ()), (pkcs11.load_token_public, ())):
        with pytest.raises(Exception, match="python-pkcs11") as caught:
            call(URI, *extra)
        assert "audit-pipeline[pkcs11]" in caught.value.hint


@needs_token
def test_the_public_key_comes_out_of_the_token_without_a_pin(
    token: SoftToken, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "release.pub.pem"
    with pytest.raises(SystemExit) as left:
        main(["keys", "export", token.uri(), "--out", str(out)])
    assert left.value.code == 0
    loaded = serialization.load_pem_public_key(out.read_bytes())
    assert spki(loaded) == spki(keys.load_signer_public(out)) == spki(pkcs11.load_token_public(token.uri()))
    with pytest.raises(SystemExit):
        main(["keys", "fingerprint", token.uri()])
    assert fingerprint(keys.load_signer_public(out)) in capsys.readouterr().out


@needs_token
def test_a_private_key_never_leaves_its_token(
    token: SoftToken, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        main(["keys", "export", token.uri(), "--private", "--out", str(tmp_path / "out.pem")])
    assert left.value.code == 2
    assert "keys.in-token" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@needs_token
def test_two_tokens_of_one_name_are_told_apart_by_their_serial(token: SoftToken, tmp_path: Path) -> None:
    import pkcs11 as library

    for other in soft_token(tmp_path):
        other.make("p256", "release", b"\x01")
        again = ["softhsm2-util", "--init-token", "--free", "--label", "audit", "--so-pin", "50617283", "--pin", PIN]
        subprocess.run(again, check=True, capture_output=True)
        library.unload(str(MODULE))
        assert code_of(keys.load_signer, other.uri(), PIN) == "signer.ambiguous"
        serials = [found.serial.decode() for found in library.lib(str(MODULE)).get_tokens(token_label="audit")]
        codes = []
        for serial in serials:
            uri = other.uri().replace("token=audit", f"token=audit;serial={serial}")
            try:
                codes.append(kind_of(keys.load_signer(uri, PIN).public))
            except InputError as error:
                codes.append(error.code)
        assert sorted(codes) == ["p256", "signer.no-key"]


@needs_token
@pytest.mark.parametrize(
    ("failure", "code"),
    [
        ("PinLocked", "signer.pin-locked"),
        ("PinExpired", "signer.pin-locked"),
        ("TokenNotPresent", "signer.no-token"),
        ("DeviceRemoved", "signer.token"),
        ("FunctionFailed", "signer.token"),
    ],
)
def test_what_a_token_reports_is_told(
    token: SoftToken, monkeypatch: pytest.MonkeyPatch, failure: str, code: str
) -> None:
    """Failures that SoftHSM has not, as python-pkcs11 reports them."""
    import pkcs11 as library

    class Failing:
        def get_token(self, **_: object) -> Failing:
            return self

        def open(self, **_: object) -> None:
            raise getattr(library, failure)

    signer = keys.load_signer(token.uri(), PIN)
    monkeypatch.setattr(library, "lib", lambda _: Failing())
    assert code_of(signer.sign, b"x") == code
    assert code_of(keys.load_signer, token.uri(), PIN) == code
