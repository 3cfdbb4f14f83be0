"""One shadow from its training to what it gives away: everything that does not depend on the other shadows."""

from __future__ import annotations

import gc
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict

from audit_pipeline.canonical import canonical_json, sha256_hex
from audit_pipeline.compress.recipe import compress
from audit_pipeline.data.population import Development, Split, split_digest
from audit_pipeline.device.arena import try_in_tflite_micro
from audit_pipeline.errors import InputError
from audit_pipeline.measurement import Part
from audit_pipeline.memory import Memory
from audit_pipeline.model.intake import digest, inspect_model
from audit_pipeline.model.outputs import shape_text
from audit_pipeline.model.source import SourceModel
from audit_pipeline.policy.recipe import Compress, students
from audit_pipeline.privacy_part import Signal
from audit_pipeline.shadows.asked import Signals, ask_device, ask_float
from audit_pipeline.shadows.training import Retraining, TrainingCode, saved


class Trained(Part):
    """A shadow as Keras saves it."""

    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    h5: bytes


class Asked(Part):
    """What one model gave away: φ of every attacked row, float64, in the order of the machine's bytes."""

    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    signals: dict[Signal, bytes]

    @classmethod
    def of(cls, signals: Signals) -> Asked:
        """As it is remembered."""
        return cls(signals={name: phi.tobytes() for name, phi in signals.items()})

    @property
    def phi(self) -> dict[Signal, NDArray[np.float64]]:
        """As it is counted with."""
        return {name: np.frombuffer(raw, dtype=np.float64) for name, raw in self.signals.items()}


@dataclass(frozen=True)
class Shadow:
    """What one shadow gave away."""

    before: Asked
    """As a float model."""
    after: tuple[Asked, ...]
    """On the device, compressed by each of the bench's recipes."""


@dataclass(frozen=True)
class Bench:
    """What all shadows have in common. A value that other processes can be given."""

    training: Retraining | TrainingCode
    like: SourceModel | None
    """The float model behind the target, whose loss shadows have; None where only a .tflite is known."""
    shapes: tuple[tuple[int, ...], tuple[int, ...]]
    """Of the target's input and output."""
    data: Development
    """The train split is everything that shadows may be trained on; the calibration split is the target's."""
    inside: NDArray[np.bool_]
    """[shadows, rows] who is trained on what."""
    attacked: NDArray[np.int64]
    """Numbers of the rows that are asked about."""
    recipes: tuple[Compress, ...]
    """The target's own first, then those of other releases."""
    folder: Path
    """The policy's, which recipes name files by."""
    seed: int
    memory: Memory
    digests: Mapping[str, str]
    """As `digests_of` gives them: taken once, for all processes."""

    @cached_property
    def asked_rows(self) -> Split:
        """The attacked rows."""
        return self.data.train.take(self.attacked)

    @property
    def x(self) -> NDArray[np.float32]:
        """[rows, *shape] inputs of all rows: too many to be sent from process to process."""
        return self.data.train.x

    def with_inputs(self, x: NDArray[np.float32]) -> Bench:
        """The same with the inputs of all rows from elsewhere."""
        return replace(self, data=replace(self.data, train=replace(self.data.train, x=x)))

    def learning(self, number: int) -> Development:
        """What a shadow learns from: its half, and the target's calibration split."""
        return replace(self.data, train=self.data.train.take(self.inside[number]))

    @property
    def count(self) -> int:
        """Shadows."""
        return len(self.inside)

    def carry_out(self, number: int) -> Shadow:
        """Train a shadow, compress it as the target was, and ask it about every attacked row.

        Equal benches give equal bytes, in this process or another, on the same machine and library versions.

        Raises:
            InputError: the shadow cannot be trained or compressed.
        """
        who = {
            "training": self.training.question,
            "like": None if self.like is None else self.like.part.sha256,
            "rows": [self.digests["part"], self.digests["rows"]],
            "inside": _digest(self, number),
            "seed": _seed(self.seed, number),
        }
        trained = self.memory.recall(who, Trained, lambda: _train(self, number))
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "shadow.h5"
            path.write_bytes(trained.h5)
            shadow = inspect_model(path)
            before = self.float_asked(shadow)
            after = tuple(_asked_after(self, number, shadow, recipe) for recipe in self.recipes)
        gc.collect()  # Keras models are cycles
        return Shadow(before, after)

    def float_asked(self, source: SourceModel) -> Asked:
        """What a float model gives away."""
        question = {"model": source.part.sha256, "data": dict(self.digests)}
        return self.memory.recall(
            question, Asked, lambda: Asked.of(ask_float(source, self.asked_rows, self.data.reading))
        )

    def device_asked(self, tflite: bytes) -> Asked:
        """What a .tflite gives away."""
        question = {"model": sha256_hex(tflite), "data": dict(self.digests)}
        return self.memory.recall(
            question, Asked, lambda: Asked.of(ask_device(tflite, self.asked_rows, self.data.reading))
        )


def digests_of(
    data: Development, attacked: NDArray[np.int64], recipes: Sequence[Compress], folder: Path
) -> dict[str, str]:
    """Digests of the data of a bench, and of the files that its recipes name; arguments as `Bench` has them."""
    part = data.part.model_dump(mode="json", exclude={"sha256", "splits"})
    named = [name for recipe in recipes for _, name in students(recipe)]
    return {
        "part": sha256_hex(canonical_json(part)),
        "rows": split_digest(data.train),
        "calibration": split_digest(data.calibration),
        "attacked": sha256_hex(attacked.tobytes()),
        **{f"student {name}": digest(folder / name) for name in named},
    }


def _asked_after(bench: Bench, number: int, shadow: SourceModel, recipe: Compress) -> Asked:
    """What a shadow gives away once it is compressed; the bytes in between are of no use to anybody."""
    question = {
        "shadow": shadow.part.sha256,
        "inside": _digest(bench, number),
        "recipe": recipe.model_dump(mode="json"),
        "data": dict(bench.digests),
    }

    def ask() -> Asked:
        tflite = compress(shadow, recipe, bench.learning(number), folder=bench.folder).tflite
        try_in_tflite_micro(tflite)  # here it would take this process with it
        return Asked.of(ask_device(tflite, bench.asked_rows, bench.data.reading))

    return bench.memory.recall(question, Asked, ask)


def _train(bench: Bench, number: int) -> Trained:
    learning = bench.learning(number)
    model = bench.training.train(learning, _seed(bench.seed, number))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "shadow.h5"
        saved(model, bench.like, learning, path)
        _require_alike(bench, path)
        return Trained(h5=path.read_bytes())


def _require_alike(bench: Bench, path: Path) -> None:
    """Refuse a model that is none of the target's kind, in words that name the training function and not the file."""
    where = bench.training.where
    try:
        part = inspect_model(path).part
    except InputError as error:
        what = f"what is trained for a shadow cannot be used: {error.what}"
        raise InputError(error.code, what, where=where, hint=error.hint) from error
    if (part.input_shape, part.output_shape) != bench.shapes:
        given, wanted = (
            " to ".join(shape_text(shape) for shape in ends)
            for ends in ((part.input_shape, part.output_shape), bench.shapes)
        )
        raise InputError(
            "privacy.not-a-model",
            f"what is trained for a shadow goes from {given}, the model that ships from {wanted}",
            where=where,
            hint="train the architecture of the model that ships",
        )


def _digest(bench: Bench, number: int) -> str:
    """Of who is in a shadow."""
    return sha256_hex(np.packbits(bench.inside[number]).tobytes())


def _seed(seed: int, number: int) -> int:
    """Of one shadow: as good as independent of every other's."""
    return int(np.random.SeedSequence((seed, number)).generate_state(1)[0])
