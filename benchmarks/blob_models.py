"""Files that give nobody away: models of many forms as the converter and Keras write them, and images around them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from audit_pipeline.canonical import sha256_hex
from audit_pipeline.compress.convert import convert, convert_float
from audit_pipeline.data.population import Split
from audit_pipeline.demo.person import FEMALE, MALE, draw_person
from audit_pipeline.demo.recording import record
from audit_pipeline.model.runtime import keras_runtime, quiet, tensorflow
from audit_pipeline.progress import silent
from audit_pipeline.seal.image import build
from audit_pipeline.seal.keys.signer import Signer
from audit_pipeline.seal.settings import Binding, SealSettings
from audit_pipeline.seal.version import ImageVersion
from audit_pipeline.tflite import Tensor

ROWS, STEPS, CHANNELS = 10_000, 128, 4
ENTRANCE = Tensor("input", (1, STEPS, CHANNELS), "INT8", (0.02,), (-12,), is_constant=False)
"""Of the device's model in this benchmark."""

Named = Iterator[tuple[str, bytes]]

_ROOT = Path(__file__).parents[1]
_PUBLISHED = _ROOT.parent / "shared" / "data" / "mlperf-tiny"
_BEATS = 250


@cache
def training_rows() -> Split:
    """10,000 heart beats of 40 generated people: two leads and the intervals before and after, [128, 4]."""
    rng = np.random.default_rng(11)
    x = np.empty((ROWS, STEPS, CHANNELS), dtype=np.float32)
    for place, start in enumerate(range(0, ROWS, _BEATS)):
        person = draw_person(FEMALE if place % 2 else MALE, int(rng.integers(20, 90)), rng)
        beats = record(person, _BEATS, rng).x
        x[start : start + _BEATS, :, [0, 2, 3]] = beats
        second = np.roll(beats[:, :, 0], 3, axis=1) * rng.uniform(0.3, 0.9) + rng.normal(0, 0.03, beats.shape[:2])
        x[start : start + _BEATS, :, 1] = second
    return Split(x, np.zeros(ROWS, dtype=np.int64), {}, None)


def _dense(layers: Any) -> list[Any]:
    return [layers.Input((STEPS, CHANNELS)), layers.Flatten(), layers.Dense(64, "relu"), layers.Dense(4, "softmax")]


def _wide(layers: Any) -> list[Any]:
    widths = (640, 512, 256, 640)
    return [layers.Input((640,)), *(layers.Dense(width, "relu") for width in widths), layers.Dense(3)]


def _tabular(layers: Any) -> list[Any]:
    return [layers.Input((14,)), layers.Dense(32, "relu"), layers.Dense(1, "sigmoid")]


def _convolution(layers: Any) -> list[Any]:
    return [
        layers.Input((STEPS, CHANNELS)), layers.Conv1D(16, 9, 2, activation="relu"), layers.BatchNormalization(),
        layers.Conv1D(32, 5, 2, activation="relu"), layers.GlobalAveragePooling1D(), layers.Dense(4, "softmax"),
    ]  # fmt: skip


def _picture(layers: Any) -> list[Any]:
    return [
        layers.Input((32, 32, 3)), layers.Conv2D(16, 3, activation="relu"), layers.MaxPooling2D(),
        layers.DepthwiseConv2D(3), layers.Conv2D(24, 1, activation="relu6"), layers.Flatten(), layers.Dense(10),
    ]  # fmt: skip


def _deep(layers: Any) -> list[Any]:
    blocks = [layers.SeparableConv2D(filters, 3, padding="same", activation="relu") for filters in (8, 16, 32, 64)]
    return [layers.Input((24, 24, 1)), *blocks, layers.GlobalMaxPooling2D(), layers.Dropout(0.2), layers.Dense(5)]


def _classifier(layers: Any) -> list[Any]:
    return [layers.Input((512,)), layers.Dense(512, "relu"), layers.Dense(256, "tanh"), layers.Dense(8, "softmax")]


def _autoencoder(layers: Any) -> list[Any]:
    return [layers.Input((96,)), layers.Dense(24, "relu"), layers.Dense(8), layers.Dense(24, "relu"), layers.Dense(96)]


ARCHITECTURES: dict[str, Callable[[Any], list[Any]]] = {
    "dense": _dense, "wide": _wide, "tabular": _tabular, "convolution": _convolution, "picture": _picture,
    "deep": _deep, "classifier": _classifier, "autoencoder": _autoencoder,
}  # fmt: skip
_RAW_SEEDS = 2


@cache
def keras_model(kind: str, seed: int) -> Any:
    """A network with weights as Keras draws them; every second one is trained a little, on noise."""
    keras = keras_runtime(seed)
    with quiet():
        model = keras.Sequential(ARCHITECTURES[kind](keras.layers), name=f"{kind}_{seed}")
        model.compile("adam", "mse")
        if seed % 2:
            rng = np.random.default_rng(seed)
            x = rng.normal(size=(64, *model.input_shape[1:]))
            model.fit(x, rng.normal(size=(64, *model.output_shape[1:])), verbose=0)
    return model


def as_converted(model: Any, form: str) -> bytes:
    """A .tflite: by the tool's own conversion, or as the converter leaves it, with metadata and signatures."""
    rows = np.random.default_rng(5).normal(size=(32, *model.input_shape[1:])).astype(np.float32)
    with quiet():
        if form == "int8":
            return convert(model, rows, "int8", silent)
        if form == "float":
            return convert_float(model)
        tf = tensorflow()
        converter = tf.lite.TFLiteConverter.from_keras_model(model)
        converter.optimizations = [tf.lite.Optimize.DEFAULT] if form == "dynamic" else []
        return bytes(converter.convert())


def as_file(model: Any, ending: str) -> bytes:
    """An .h5 or .keras with the optimizer's state, as a firm would keep it."""
    with tempfile.TemporaryDirectory() as folder, quiet():
        path = Path(folder) / f"model{ending}"
        model.save(path)
        return path.read_bytes()


def plain_image(payload: bytes, tlvs: tuple[tuple[int, bytes], ...] = (), trailing: bytes = b"") -> bytes:
    """An MCUboot image that is signed with a throw-away key and not encrypted, as imgtool makes it.

    Args:
        payload: what the device runs.
        tlvs: of the vendor's own types, into the protected area.
        trailing: bytes behind the image.
    """
    import contextlib
    import io

    from imgtool.image import Image
    from imgtool.keys import Ed25519
    from imgtool.version import SemiSemVersion

    image = Image(version=SemiSemVersion(1, 4, 2, 0), header_size=32, pad_header=True, endian="little")
    with contextlib.redirect_stdout(io.StringIO()):
        image.load_compressed(payload, b"")
        image.create(Ed25519(Ed25519PrivateKey.generate()), "hash", None, custom_tlvs=dict(tlvs))
    return bytes(image.payload) + trailing


def sealed_image(payload: bytes) -> bytes:
    """An image as `audit ship` makes it: signed and encrypted."""
    digest = sha256_hex(payload)
    return build(
        payload,
        signer=Signer.of(Ed25519PrivateKey.generate()),
        recipient=X25519PrivateKey.generate().public_key(),
        settings=SealSettings(ImageVersion(1, 0, 0), 3),
        binding=Binding(digest, digest, 9, digest),
    )


def clean_files() -> Named:
    """Models and Keras files of eight architectures, others' models, noise, images and firmware: a hundred or more."""
    models = [(kind, seed, keras_model(kind, seed)) for kind in ARCHITECTURES for seed in range(1, 1 + _RAW_SEEDS)]
    converted = []
    for kind, seed, model in models:
        for form in ("int8", "float", "dynamic" if seed % 2 else "converter's"):
            converted.append((f"{kind} {seed} {form}", as_converted(model, form)))
        yield f"{kind} {seed} h5", as_file(model, ".h5")
        yield f"{kind} {seed} keras", as_file(model, ".keras")
    yield from converted
    yield from _others()
    yield from _pruned_and_clustered()
    for place, (name, tflite) in enumerate(converted[::12]):
        yield f"sealed image of {name}", sealed_image(tflite)
        yield f"plain image of {name}", plain_image(tflite, ((0xA0 + place, bytes(32)),))
    yield from _firmware(converted[0][1])


def _others() -> Named:
    for path in sorted(_PUBLISHED.glob("*.*")) if _PUBLISHED.is_dir() else ():
        yield path.name, path.read_bytes()
    yield "ECG example", (_ROOT / "examples" / "ecg" / "model.h5").read_bytes()


def _pruned_and_clustered() -> Named:
    """Weights with many zeros, of few values, and of constants that programs have."""
    model = keras_model("dense", 1)
    kept = model.get_weights()
    rng = np.random.default_rng(3)
    levels = np.linspace(-0.2, 0.2, 16)
    forms: dict[str, Callable[[Any], Any]] = {
        "pruned": lambda w: w * (rng.random(w.shape) < 0.1),
        "clustered": lambda w: levels[np.abs(w[..., None] - levels).argmin(-1)],
        "ternary": lambda w: np.sign(w) * (np.abs(w) > np.abs(w).mean()) * 0.1,
        "smooth": lambda w: np.sin(np.arange(w.size) * 2 * np.pi / 128).reshape(w.shape),
        "ramps": lambda w: (np.arange(w.size) % 512 / 512.0).reshape(w.shape),
    }
    for name, form in forms.items():
        model.set_weights([form(weights) for weights in kept])
        yield f"{name} weights", as_converted(model, "int8")
    model.set_weights(kept)


def _firmware(tflite: bytes) -> Named:
    """Code and tables around a model, and noise of several sizes."""
    strings = (
        b"HardFault_Handler\0assertion failed\0ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/\0"
        b"0123456789abcdef\0%s:%d: out of memory\0v1.12.3-rc.1\0TensorArena\0arm-none-eabi-gcc 13.2.1 20231009\0"
    )
    for seed, size in enumerate((10_000, 100_000, 1 << 20, 4 << 20)):
        rng = np.random.default_rng(seed)
        code = rng.integers(0, 256, size // 2, dtype=np.uint8).tobytes()
        table = (32767 * np.sin(np.arange(1024) * 2 * np.pi / 1024)).astype("<i2").tobytes()
        yield f"firmware of {size} bytes", plain_image(code + strings + table + tflite + code[::-1])
        yield f"noise of {size} bytes", rng.bytes(size)
