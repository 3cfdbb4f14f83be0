"""A network that learns planted canaries by heart, through all that a user would do: plant, train, compress, audit."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from audit_pipeline.data.rewrite import MANIFEST, TRAIN
from audit_pipeline.inputs import read_inputs
from audit_pipeline.model.runtime import keras_runtime, quiet
from audit_pipeline.planting.folder import SECRET, write_folder
from audit_pipeline.planting.plant import plant
from audit_pipeline.privacy.canaries.record import RECORD
from audit_pipeline.privacy_audit import PrivacyAudit, audit_privacy
from audit_pipeline.progress import silent
from audit_pipeline.ship import make_candidate

_CLASSES = 10
_FEATURES = 64
_POLICY = f"""\
version: 1
name: memoriser
human_centred:
  intended_use: "show what canaries prove"
  affected: ["nobody"]
  worst_error: {{class: c1, kind: missed, harms: "nobody"}}
  responsible: {{false_alarm: "nobody", missed_alarm: "nobody"}}
  oversight: {{who_can_stop: "whoever runs it", how_to_appeal: "not at all"}}
  never_record: ["nothing"]
  author: {{role: "the benchmark"}}
data: {{manifest: {MANIFEST}}}
target: {{board: nucleo-l4r5zi}}
compress:
  recipe:
    - quantize: {{scheme: int8, calibration_rows: 200}}
fairness:
  - {{metric: accuracy, min: 0.1}}
privacy:
  - {{attack: canaries, record: {SECRET}/{RECORD}, max_epsilon: 1}}
"""


@dataclass(frozen=True)
class Size:
    """How large the world is."""

    rows: int
    canaries: int
    units: int
    epochs: int


def audit_memoriser(folder: Path, size: Size, *, keeps: bool, seed: int = 0) -> PrivacyAudit:
    """Plant canaries, train a network on them, compress it to int8, and audit it.

    Args:
        folder: empty; everything is put there.
        size: of data and network.
        keeps: whether it is trained until it knows every row by heart, or once over the rows.
        seed: of data, coins and weights.
    """
    source = folder / "source"
    source.mkdir()
    _write_data(source, size.rows, seed)
    planted = folder / "planted"
    write_folder(planted, plant(source / MANIFEST, size.canaries, guesses=None, seed=seed))
    model = folder / "model.h5"
    _train(planted / TRAIN, model, size.units, size.epochs if keeps else 1, seed)
    (planted / "policy.yaml").write_text(_POLICY)
    with quiet():
        inputs = read_inputs(model, planted / "policy.yaml", None)
        candidate = make_candidate(inputs, silent)
        return audit_privacy(inputs, candidate, silent)


def _write_data(folder: Path, rows: int, seed: int) -> None:
    """Ten clouds, well apart: a label that is wrong can only have been learnt from its row."""
    random = np.random.default_rng(seed)
    centres = random.normal(0, 0.6, (_CLASSES, _FEATURES))
    for name, count in (("train", rows), ("calibration", 200), ("evaluation", 200)):
        y = np.arange(count) % _CLASSES
        x = centres[y] + random.normal(0, 1, (count, _FEATURES))
        np.savez(folder / f"{name}.npz", x=x.astype(np.float32), y=y)
    classes = ", ".join(f"c{number}" for number in range(_CLASSES))
    (folder / MANIFEST).write_text(
        "version: 1\nname: clouds\ndescription: ten clouds\nsource: generated\nsynthetic: true\n"
        f"features: x\nlabel: y\nclasses: [{classes}]\n"
        "splits: {train: train.npz, calibration: calibration.npz, evaluation: evaluation.npz}\n"
    )


def _train(train: Path, path: Path, units: int, epochs: int, seed: int) -> None:
    keras = keras_runtime(seed=seed)
    with np.load(train) as held:
        x, y = held["x"], held["y"]
    layers = keras.layers
    model = keras.Sequential(
        [
            layers.Input((_FEATURES,)),
            layers.Dense(units, activation="relu"),
            layers.Dense(_CLASSES, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.003), "sparse_categorical_crossentropy")
    with quiet():
        model.fit(x, y, epochs=epochs, batch_size=64, verbose=0)
        model.save(path)
