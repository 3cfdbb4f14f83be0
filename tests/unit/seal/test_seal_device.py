from __future__ import annotations

import hashlib
import re
import shutil
import struct
import subprocess
import uuid
from pathlib import Path

import pytest
from device_verifier import SOURCE, DeviceVerifier, Opening, build_verifier, lacking_for_host
from handmade_image import MODEL, Handmade, handmade, with_optional
from sealed_samples import COMBINATIONS, FULL, Sealed, sample, seal_model

from audit_pipeline.seal.keys.key_export import export_private, export_public

LACKING = lacking_for_host()
pytestmark = pytest.mark.skipif(LACKING is not None, reason=LACKING or "")

VENDOR = uuid.uuid5(uuid.NAMESPACE_DNS, "wearables.example.com")
CLASS = uuid.uuid5(VENDOR, "wrist-2")


@pytest.fixture(scope="module")
def device(tmp_path_factory: pytest.TempPathFactory) -> DeviceVerifier:
    return build_verifier(tmp_path_factory.mktemp("device"))


def opening(made: Handmade) -> Opening:
    return Opening(made.image(), made.signer.public_key(), made.recipient)


def opening_of(sealed: Sealed) -> Opening:
    return Opening(sealed.image, sealed.signer.public, sealed.recipient)


@pytest.mark.parametrize(("signs", "receives", "aes_bits"), COMBINATIONS)
def test_an_image_of_imgtool_opens_to_the_exact_model(
    device: DeviceVerifier, signs: str, receives: str, aes_bits: int
) -> None:
    sealed = sample(signs, receives, aes_bits)
    opened = device.open(opening_of(sealed))
    assert (opened.status, opened.model) == ("ok", sealed.model)


@pytest.mark.parametrize("size", [1, 15, 16, 17, 4096, 100_001])
def test_a_model_of_any_size_opens_without_its_padding(device: DeviceVerifier, size: int) -> None:
    sealed = seal_model(size)
    assert device.open(opening_of(sealed)).model == sealed.model


def test_a_handmade_image_opens_and_says_what_was_put_in(device: DeviceVerifier) -> None:
    dependency = struct.pack("<B3xBBHI", 2, 1, 2, 3, 4)
    optional = ((0x40, dependency), (0x74, VENDOR.bytes), (0x75, CLASS.bytes))
    opened = device.open(opening(handmade().change(optional=optional)))
    assert (opened.status, opened.model) == ("ok", MODEL)
    assert opened.values == {
        "version": "1.4.300+70000",
        "security-counter": "7",
        "model-bytes": "20",
        "model-sha256": hashlib.sha256(MODEL).hexdigest(),
        "verdict-sha256": bytes(range(32)).hex(),
        "policy-sha256": bytes(range(32, 64)).hex(),
        "log-size": str(2**40 + 5),
        "log-root": bytes(range(64, 96)).hex(),
        "dependency-image": "2",
        "dependency": "1.2.3+4",
        "vendor": VENDOR.hex,
        "class": CLASS.hex,
    }


def test_the_device_reads_the_optional_values_that_imgtool_wrote(device: DeviceVerifier) -> None:
    opened = device.open(opening_of(seal_model(30, settings=FULL)))
    assert FULL.dependency is not None
    assert opened.values["dependency"] == str(FULL.dependency.version)
    assert (opened.values["vendor"], opened.values["class"]) == (VENDOR.hex, CLASS.hex)


def test_an_image_at_the_limits_of_what_is_copied_opens(device: DeviceVerifier) -> None:
    optional = ((0x40, bytes(12)), (0x74, VENDOR.bytes), (0x75, CLASS.bytes))
    made = handmade("p256", "p256", 256).change(optional=optional)
    images = [made.image() for _ in range(40)]
    assert {len(image) - 64 for image in images} >= {224 + 283, 224 + 284}
    openings = [Opening(image, made.signer.public_key(), made.recipient) for image in images]
    assert set(device.statuses(openings)) == {"ok"}


def test_a_device_refuses_an_older_image_but_not_an_equal_one(device: DeviceVerifier) -> None:
    given = opening(handmade().change(counter=2**31))
    assert device.open(given, "--least-counter", str(2**31)).status == "ok"
    refused = device.open(given, "--least-counter", str(2**31 + 1))
    assert (refused.status, refused.values, refused.model) == ("device.counter-rollback", {}, None)


def test_a_device_refuses_the_image_of_another_vendor_or_class_or_of_none(device: DeviceVerifier) -> None:
    named = opening(with_optional((0x74, VENDOR.bytes), (0x75, CLASS.bytes)))
    nameless = opening(handmade())
    right = ("--vendor", VENDOR.hex, "--class", CLASS.hex)
    assert device.open(named, *right).status == "ok"
    assert device.open(named, "--vendor", CLASS.hex).status == "device.wrong-vendor"
    assert device.open(named, "--class", VENDOR.hex).status == "device.wrong-class"
    assert device.open(nameless, "--vendor", VENDOR.hex).status == "device.wrong-vendor"
    assert device.open(nameless, "--class", CLASS.hex).status == "device.wrong-class"


def test_the_program_says_what_is_wrong_with_its_command(device: DeviceVerifier, tmp_path: Path) -> None:
    assert device.run("audit-image").returncode == 2
    told = device.run("audit-image", str(tmp_path / "none"), "--signer", "a", "--x25519", "b")
    assert told.returncode == 2
    assert "No such file" in told.stderr


def test_the_least_configuration_of_mbed_tls_is_enough_to_compile(tmp_path: Path) -> None:
    config = '-DMBEDTLS_CONFIG_FILE="mbedtls_config.example.h"'
    sources = [str(path) for path in SOURCE.glob("*.c")]
    assert len(sources) > 5
    command = ["gcc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", f"-I{SOURCE}", config, *sources]
    told = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert (told.returncode, told.stderr) == (0, "")


@pytest.mark.skipif(shutil.which("arm-none-eabi-gcc") is None, reason="no arm-none-eabi-gcc on this machine")
def test_it_compiles_for_a_cortex_m_within_4_kilobytes_and_without_heap_or_data(tmp_path: Path) -> None:
    command = ["make", "--silent", "-C", str(SOURCE), f"BUILD={tmp_path}", "arm"]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (told.returncode, told.stderr) == (0, "")
    text, data, bss = (int(number) for number in told.stdout.splitlines()[-1].split()[:3])
    assert 2000 < text < 4096
    assert (data, bss) == (0, 0)
    objects = [str(path) for path in tmp_path.glob("arm/*.o")]
    symbols = subprocess.run(["arm-none-eabi-nm", "-u", *objects], capture_output=True, text=True, check=True).stdout
    needed = {line.split()[1] for line in symbols.splitlines() if line.startswith(" ")}
    outside = {name for name in needed if not name.startswith(("audit_", "mbedtls_"))}
    assert outside <= {"memcpy", "memset", "memcmp"}
    frames = [line.split() for path in tmp_path.glob("arm/*.su") for line in path.read_text().splitlines()]
    assert {kind for *_, kind in frames} == {"static"}
    assert sum(int(size) for _, size, _ in frames) < 2560


def test_the_example_in_the_readme_compiles(tmp_path: Path) -> None:
    blocks = re.findall(r"^ *```c\n(.*?)^ *```", (SOURCE / "README.md").read_text(), re.DOTALL | re.MULTILINE)
    assert len(blocks) == 2
    for index, block in enumerate(blocks):
        source = tmp_path / f"{index}.c"
        source.write_text(block)
        command = ["gcc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", f"-I{SOURCE}", str(source)]
        told = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (told.returncode, told.stderr) == (0, "")


@pytest.mark.parametrize(("signs", "receives", "aes_bits"), COMBINATIONS)
def test_the_bootloader_example_knows_every_combination(signs: str, receives: str, aes_bits: int) -> None:
    given = {"-DAUDIT_SIGNER_P256": signs == "p256", "-DAUDIT_RECIPIENT_P256": receives == "p256"}
    given["-DAUDIT_AES_256"] = aes_bits == 256
    options = [option for option, wanted in given.items() if wanted]
    command = ["gcc", "-dM", "-E", "-w", *options, str(SOURCE / "mcuboot_config.example.h")]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    chosen = set(re.findall(r"MCUBOOT_(SIGN_\w+|ENCRYPT_\w+|AES_\w+)", told))
    curve = {"p256": "EC256", "ed25519": "ED25519", "x25519": "X25519"}
    assert chosen == {f"SIGN_{curve[signs]}", f"ENCRYPT_{curve[receives]}", f"AES_{aes_bits}"}


FIRMWARE = """
#include "audit_image.h"
#include "files.h"
#include <string.h>
extern const uint8_t audit_public_key[];
extern const size_t audit_public_key_bytes;
extern const uint8_t audit_private_key[];
static uint8_t model[4096];
int main(int count, char **arguments)
{
    host_file image, expected;
    audit_image values;
    if (count != 3 || !host_read(arguments[1], &image) || !host_read(arguments[2], &expected)) {
        return 2;
    }
    const audit_keys keys = {.signer = audit_public_key, .signer_bytes = audit_public_key_bytes,
                             .recipient_kind = RECIPIENT, .recipient = audit_private_key, .random = host_random};
    const audit_status status = audit_image_open(image.bytes, image.size, &keys, model, sizeof model, &values);
    const bool opened = status == AUDIT_OK && values.model_bytes == expected.size;
    return opened && memcmp(model, expected.bytes, expected.size) == 0 ? 0 : 1;
}
"""


@pytest.mark.parametrize(("signs", "receives"), [("ed25519", "x25519"), ("p256", "p256")])
def test_firmware_with_keys_exported_as_c_opens_an_image(
    device: DeviceVerifier, tmp_path: Path, signs: str, receives: str
) -> None:
    made = handmade(signs, receives)
    (tmp_path / "public.c").write_bytes(export_public(made.signer.public_key(), "c"))
    (tmp_path / "private.c").write_bytes(export_private(made.recipient, "c", b""))
    (tmp_path / "firmware.c").write_text(FIRMWARE)
    (tmp_path / "image.bin").write_bytes(made.image())
    (tmp_path / "model.tflite").write_bytes(made.model)
    built = [
        path for path in device.programs.rglob("*.o") if path.stem not in {"audit_image_cli", "fuzz_main", "remembered"}
    ]
    command = ["gcc", "-std=c99", "-Wall", "-Werror", f"-DRECIPIENT=AUDIT_{receives.upper()}", "-o", "firmware"]
    command += [f"-I{SOURCE}", f"-I{SOURCE / 'host'}", "public.c", "private.c", "firmware.c", *map(str, built)]
    subprocess.run([*command, "-lmbedcrypto", "-lsodium"], cwd=tmp_path, check=True)
    subprocess.run([tmp_path / "firmware", "image.bin", "model.tflite"], cwd=tmp_path, check=True)
