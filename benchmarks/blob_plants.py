"""Two hundred files that give somebody away, each with one leak at a known place, drawn by seed.

Texts are put where tools and people leave them: metadata, names, descriptions, custom options, buffers, between
weights, Keras configurations and attributes, archives, firmware and its TLVs. Training rows are put in whole or in
pieces, in every encoding, from any value on, at any byte; and as constants, scaled, shifted, turned over and rounded.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from audit_pipeline.compress.repack import pack
from audit_pipeline.quantization import quantize_input
from benchmarks.blob_models import ENTRANCE, as_converted, as_file, keras_model, plain_image, training_rows
from benchmarks.blob_secrets import EMAILS, HOSTS, PATHS, SECRETS

_SEED = 20261123
_COUNTS = {"path": 36, "e-mail": 15, "host": 30, "secret": 40, "training-row": 40, "training-constant": 24}
_TRAILING = 15

Generator = np.random.Generator


@dataclass(frozen=True)
class Plant:
    """A file, what is in it, and where."""

    kind: str
    how: str
    data: bytes
    encoded: bytes | None
    """What was put in, as it stands in the file unless it is packed or escaped there; None of constants."""

    def holds(self, offset: int) -> bool:
        """Whether what was put in stands at an offset of the file; also where it does not stand in it as it is.

        Of an archive offsets are those in its members, so there nothing is compared.
        """
        if self.encoded is None or self.data.startswith(b"PK") or self.encoded not in self.data:
            return True
        return self.encoded in self.data[max(0, offset - len(self.encoded) + 1) : offset + len(self.encoded)]


def plants() -> Iterator[Plant]:
    """All of them; the seed is fixed."""
    rng = np.random.default_rng(_SEED)
    for kind, forms in (("path", PATHS), ("e-mail", EMAILS), ("host", HOSTS), ("secret", SECRETS)):
        for place in range(_COUNTS[kind]):
            text = forms[place % len(forms)](rng)
            carrier = list(CARRIERS)[int(rng.integers(len(CARRIERS)))]
            data = CARRIERS[carrier](text, rng)
            yield Plant(kind, f"{text!r} as {carrier}", data, text.encode())
    for place in range(_COUNTS["training-row"]):
        yield _row(place, rng)
    for place in range(_COUNTS["training-constant"]):
        yield _constant(place, rng)
    for place in range(_TRAILING):
        yield _trailing(place, rng)


@cache
def _base(name: str) -> bytes:
    kind, form = name.split()
    return as_file(keras_model(kind, 1), form) if form.startswith(".") else as_converted(keras_model(kind, 1), form)


_TFLITES = ("dense int8", "convolution dynamic", "picture int8", "convolution float", "deep int8")


def _tflite(rng: Generator) -> Any:
    from ai_edge_litert import schema_py_generated as schema

    return schema.ModelT.InitFromPackedBuf(_base(_TFLITES[int(rng.integers(len(_TFLITES)))]), 0)


def _in_description(text: str, rng: Generator) -> bytes:
    model = _tflite(rng)
    model.description = f"trained model, see {text}"
    return pack(model)


def _in_metadata(text: str, rng: Generator) -> bytes:
    return _with_metadata(_tflite(rng), "training_info", json.dumps({"note": text}, ensure_ascii=False).encode())


def _with_metadata(model: Any, name: str, content: bytes) -> bytes:
    from ai_edge_litert import schema_py_generated as schema

    entry, buffer = schema.MetadataT(), schema.BufferT()
    entry.name, entry.buffer = name, len(model.buffers)
    buffer.data = np.frombuffer(content, np.uint8)
    model.metadata = [*(model.metadata or []), entry]
    model.buffers.append(buffer)
    return pack(model)


def _in_metadata_name(text: str, rng: Generator) -> bytes:
    return _with_metadata(_tflite(rng), text, b"1.0")


def _in_tensor_name(text: str, rng: Generator) -> bytes:
    model = _tflite(rng)
    tensors = model.subgraphs[0].tensors
    tensors[int(rng.integers(len(tensors)))].name = text
    return pack(model)


def _in_graph_name(text: str, rng: Generator) -> bytes:
    model = _tflite(rng)
    model.subgraphs[0].name = text
    return pack(model)


def _in_custom_options(text: str, rng: Generator) -> bytes:
    model = _tflite(rng)
    model.subgraphs[0].operators[0].customOptions = np.frombuffer(b"\1\2" + text.encode() + b"\0\3", np.uint8)
    return pack(model)


def _in_signature(text: str, rng: Generator) -> bytes:
    from ai_edge_litert import schema_py_generated as schema

    model = _tflite(rng)
    signature = schema.SignatureDefT()
    signature.signatureKey, signature.inputs, signature.outputs = text, [], []
    model.signatureDefs = [signature]
    return pack(model)


def _in_unused_buffer(text: str, rng: Generator) -> bytes:
    from ai_edge_litert import schema_py_generated as schema

    model, buffer = _tflite(rng), schema.BufferT()
    buffer.data = np.frombuffer(rng.bytes(9) + b"\0" + text.encode() + b"\0" + rng.bytes(20), np.uint8)
    model.buffers.append(buffer)
    return pack(model)


def _among_weights(text: str, rng: Generator) -> bytes:
    return _overwritten(b"\0" + text.encode() + b"\0", rng)


def _overwritten(content: bytes, rng: Generator) -> bytes:
    """Put into the largest constant of a model, at any byte."""
    model = _tflite(rng)
    buffer = max((each for each in model.buffers if each.data is not None), key=lambda each: len(each.data))
    held = np.array(buffer.data)
    if len(held) < len(content) + 1:
        return _with_metadata(model, "blob", rng.bytes(11) + content)
    start = int(rng.integers(len(held) - len(content)))
    held[start : start + len(content)] = np.frombuffer(content, np.uint8)
    buffer.data = held
    return pack(model)


def _keras(rng: Generator) -> bytes:
    return _base(("dense .h5", "convolution .h5")[int(rng.integers(2))])


def _in_h5(change: Callable[[Any], None], rng: Generator) -> bytes:
    stream = io.BytesIO(_keras(rng))
    with h5py.File(stream, "r+") as file:
        change(file)
    return stream.getvalue()


def _in_h5_config(text: str, rng: Generator) -> bytes:
    def change(file: Any) -> None:
        config = json.loads(file.attrs["model_config"])
        config["config"]["layers"][-1]["config"]["name"] = text
        file.attrs["model_config"] = json.dumps(config, ensure_ascii=bool(rng.integers(2)))

    return _in_h5(change, rng)


def _in_h5_training_config(text: str, rng: Generator) -> bytes:
    def change(file: Any) -> None:
        file.attrs["training_config"] = json.dumps({"loss": "mse", "data": text}, ensure_ascii=False)

    return _in_h5(change, rng)


def _in_h5_attribute(text: str, rng: Generator) -> bytes:
    def change(file: Any) -> None:
        file["model_weights"].attrs["note"] = text if rng.integers(2) else np.bytes_(text.encode())

    return _in_h5(change, rng)


def _in_h5_packed(text: str, rng: Generator) -> bytes:
    def change(file: Any) -> None:
        values = np.frombuffer(text.encode().ljust(256, b"\0"), np.uint8)
        file.create_dataset("extra", data=np.tile(values, 4), chunks=(64,), compression="gzip")

    return _in_h5(change, rng)


def _in_keras(member: str, text: str | bytes, comment: bytes = b"") -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(_base("dense .keras"))) as old, zipfile.ZipFile(stream, "w", 8) as new:
        for name in old.namelist():
            content = old.read(name)
            if name == member:
                content = json.dumps({**json.loads(content), "origin": text}, ensure_ascii=False).encode()
            new.writestr(name, content)
        if member not in old.namelist():
            new.writestr(member, text)
        new.comment = comment
    return stream.getvalue()


def _in_firmware(text: str, rng: Generator) -> bytes:
    code = rng.bytes(int(rng.integers(3000, 9000)))
    return plain_image(code + b"\0" + text.encode() + b"\0" + code[::-1] + pack(_tflite(rng)))


def _in_firmware_wide(text: str, rng: Generator) -> bytes:
    return plain_image(pack(_tflite(rng)) + rng.bytes(501) + b"\0\0" + text.encode("utf-16-le") + b"\0\0")


def _in_firmware_model(text: str, rng: Generator) -> bytes:
    return plain_image(rng.bytes(777) + _in_metadata(text, rng))


CARRIERS: dict[str, Callable[[str, Generator], bytes]] = {
    "description": _in_description,
    "metadata": _in_metadata,
    "name of metadata": _in_metadata_name,
    "name of a tensor": _in_tensor_name,
    "name of the graph": _in_graph_name,
    "custom options": _in_custom_options,
    "key of a signature": _in_signature,
    "unused buffer": _in_unused_buffer,
    "among weights": _among_weights,
    "layer's name in .h5": _in_h5_config,
    "training_config in .h5": _in_h5_training_config,
    "attribute in .h5": _in_h5_attribute,
    "packed in .h5": _in_h5_packed,
    "config.json in .keras": lambda text, _: _in_keras("config.json", text),
    "metadata.json in .keras": lambda text, _: _in_keras("metadata.json", text),
    "another member of .keras": lambda text, _: _in_keras("assets/notes", text),
    "firmware": _in_firmware,
    "firmware in UTF-16": _in_firmware_wide,
    "model in firmware": _in_firmware_model,
    "TLV of an image": lambda text, rng: plain_image(pack(_tflite(rng)), ((0xA5, text.encode()),)),
}


def _pick(rng: Generator) -> NDArray[np.float32]:
    rows = training_rows().x
    return np.asarray(rows[int(rng.integers(len(rows)))])


ENCODINGS: dict[str, Callable[[NDArray[np.float32]], bytes]] = {
    "float32": lambda row: row.astype("<f4").tobytes(),
    "int8": lambda row: quantize_input(row, ENTRANCE).tobytes(),
    "uint8": lambda row: (quantize_input(row, ENTRANCE).astype(np.int16) + 128).astype(np.uint8).tobytes(),
}


def _row(place: int, rng: Generator) -> Plant:
    """A row, or a piece of one of at least 64 values, in its order or channel by channel, at an odd place."""
    encoding = list(ENCODINGS)[place % 3]
    planar = place % 4 == 3
    row = _pick(rng)
    values = (row.T if planar else row).ravel()
    if place % 2:
        length = int(rng.integers(64, 200))
        start = int(rng.integers((128 if planar else values.size) - length)) if length < 128 or not planar else 0
        values = values[start : start + length]
    content = ENCODINGS[encoding](values)
    carriers: tuple[tuple[str, Callable[[], bytes]], ...] = (
        ("among weights", lambda: _overwritten(content, rng)),
        ("metadata", lambda: _with_metadata(_tflite(rng), "sample", rng.bytes(int(rng.integers(1, 9))) + content)),
        ("firmware", lambda: plain_image(pack(_tflite(rng)) + rng.bytes(int(rng.integers(1, 99))) + content + b"\7")),
        ("packed in .h5", lambda: _in_h5(lambda file: _packed(file, content), rng)),
        ("member of .keras", lambda: _in_keras("assets/sample.bin", content)),
    )
    name, carrier = carriers[(place // 3) % len(carriers)]
    how = f"{len(values)} values as {encoding}{', by channel' if planar else ''}, {name}"
    return Plant("training-row", how, carrier(), content)


def _packed(file: Any, content: bytes) -> None:
    file.create_dataset("cache", data=np.frombuffer(content, np.uint8), chunks=(37,), compression="gzip")


def _constant(place: int, rng: Generator) -> Plant:
    """A row, or one channel of it, that stands in a model as a constant up to scale, offset and rounding."""
    row = _pick(rng)
    whole = place % 3 != 2
    held = row.ravel() if whole else row[:, place % 2]
    values = held.astype(np.float64) * (1 if rng.integers(2) else -1) * float(rng.uniform(0.01, 40))
    values += float(rng.normal(0, 3)) * np.abs(values).max()
    forms: tuple[Callable[[], tuple[str, bytes]], ...] = (
        lambda: ("a tensor of int8", _as_tensor(_integers(values), 9, rng)),
        lambda: ("a tensor of float32", _as_tensor(values.astype("<f4"), 0, rng)),
        lambda: ("a unit of a larger int8 kernel", _as_tensor(_slice(_integers(values), rng), 9, rng)),
        lambda: ("a tensor of int16", _as_tensor(_integers(values, 32767).astype("<i2"), 7, rng)),
        lambda: ("a tensor of float16", _as_tensor(((values - values.mean()) / np.ptp(values)).astype("<f2"), 1, rng)),
        lambda: ("weights in .h5", _in_h5(lambda file: _replace(file, values, rng), rng)),
    )
    name, data = forms[(place // 2) % len(forms)]()
    return Plant("training-constant", f"{'row' if whole else 'channel'} as {name}", data, None)


def _integers(values: NDArray[np.float64], most: int = 127) -> NDArray[Any]:
    """Symmetric integers over the range of what varies, as a kernel is quantized after its mean went into the bias."""
    centred = values - values.mean()
    scaled = np.rint(centred / np.abs(centred).max() * most)
    return np.asarray(scaled.astype(np.int8 if most == 127 else np.int16))


def _slice(values: NDArray[Any], rng: Generator) -> NDArray[Any]:
    kernel = np.clip(np.rint(rng.normal(0, 30, int(rng.integers(5_000, 60_000)))), -127, 127).astype(np.int8)
    start = int(rng.integers(len(kernel) - len(values)))
    kernel[start : start + len(values)] = values
    return np.asarray(kernel)


def _as_tensor(values: NDArray[Any], kind: int, rng: Generator) -> bytes:
    from ai_edge_litert import schema_py_generated as schema

    model = _tflite(rng)
    buffer, tensor = schema.BufferT(), schema.TensorT()
    buffer.data = np.frombuffer(values.tobytes(), np.uint8)
    tensor.name, tensor.shape, tensor.type, tensor.buffer = "kernel_7", [len(values)], kind, len(model.buffers)
    model.buffers.append(buffer)
    model.subgraphs[0].tensors.append(tensor)
    return pack(model)


def _replace(file: Any, values: NDArray[np.float64], rng: Generator) -> None:
    """Into one unit of a kernel as Keras stores it: a column."""
    kernel = rng.normal(0, 0.05, (len(values), 12)).astype(np.float32)
    kernel[:, int(rng.integers(12))] = values
    file["model_weights"].create_dataset("memory/kernel:0", data=kernel)


def _trailing(place: int, rng: Generator) -> Plant:
    contents = (b"PK\3\4" + rng.bytes(300), b'{"a": 1}', rng.bytes(17), bytes(500), b"%PDF-1.7\n" + rng.bytes(64))
    content = contents[place % len(contents)]
    forms: tuple[tuple[str, Callable[[], bytes]], ...] = (
        ("a model", lambda: pack(_tflite(rng)) + content),
        ("an .h5", lambda: _keras(rng) + content),
        ("an image", lambda: plain_image(pack(_tflite(rng)), trailing=content)),
        ("a .keras", lambda: _in_keras("config.json", "x") + content),
    )
    name, carrier = forms[place % len(forms)]
    return Plant("trailing-bytes", f"{len(content)} bytes behind {name}", carrier(), content)
