"""Train the beat classifier on the splits that `prepare.py` made.

    python train.py [--data DIR] [--out DIR]

Writes `model.h5` (tf_keras, Functional) and prints accuracy and recall by group on the evaluation half. `Training`
holds the choices that `select_model.py` made by cross-validation on the training half; nothing here was tuned on the
evaluation half. One thread, so that a machine gives the same model however many cores it has.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

CLASSES = ("N", "S", "V", "F")
SIGNAL = slice(0, 1)  # of the channels
CONTEXT = slice(1, None)  # rhythm and likeness: one number a row

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Split:
    """One .npz of prepare.py: x float32 [n, 96, 8], y indices into CLASSES [n], subject, sex, age [n]."""

    x: Floats
    y: Integers
    subject: NDArray[np.str_]
    sex: NDArray[np.str_]
    age: Floats

    def rows(self, chosen: NDArray[Any]) -> Split:
        """The chosen rows (a mask or indices)."""
        return Split(self.x[chosen], self.y[chosen], self.subject[chosen], self.sex[chosen], self.age[chosen])


@dataclass(frozen=True)
class Training:
    """Everything that decides what comes out of a training run."""

    filters: tuple[int, int, int] = (16, 24, 32)
    """Filters of the convolution stages; each stage halves the time axis."""
    epochs: int = 10
    rows_per_epoch: int = 8_192
    class_balance: float = 0.5
    """Class c is drawn with probability proportional to its count to the power of 1 minus this."""
    patient_balance: float = 0.5
    """The same for the patients within a class: one patient has half of all S beats."""
    learning_rate: float = 2e-3
    dropout: float = 0.5
    augment: float = 1.0
    """Strength of the augmentation; 0 is none."""
    batch: int = 128
    seed: int = 7


def load(path: Path) -> Split:
    """Read one split."""
    with np.load(path, allow_pickle=False) as file:
        labels = np.array([CLASSES.index(c) for c in file["y"]])
        return Split(file["x"], labels, file["subject"], file["sex"], file["age"])


def build(shape: tuple[int, ...], training: Training) -> Any:
    """A residual network over time; the context also goes around it, so that shape alone cannot crowd it out."""
    from tf_keras import Model, layers

    def convolution(x: Any, filters: int, width: int, stride: int) -> Any:
        x = layers.Conv2D(filters, (width, 1), strides=(stride, 1), padding="same", use_bias=False)(x)
        return layers.BatchNormalization()(x)

    row = layers.Input(shape, name="beat")
    # A two-dimensional convolution of height 1: quantization-aware training has no Conv1D.
    x = plane = layers.Reshape((shape[0], 1, shape[1]))(row)
    for width, filters in zip((7, 5, 5), training.filters, strict=True):
        x = layers.ReLU()(convolution(x, filters, width, 2))
        inner = layers.ReLU()(convolution(x, filters, 3, 1))
        x = layers.ReLU()(layers.Add()([x, convolution(inner, filters, 3, 1)]))
    shape_of_beat = layers.Dropout(training.dropout)(layers.GlobalAveragePooling2D()(x))
    context = layers.Dense(16, activation="relu")(layers.GlobalAveragePooling2D()(plane))
    summary = layers.Concatenate()([shape_of_beat, context])
    hidden = layers.Dropout(training.dropout)(layers.Dense(32, activation="relu")(summary))
    return Model(row, layers.Dense(len(CLASSES), activation="softmax", name="class")(hidden), name="ecg")


def drawing_probabilities(split: Split, training: Training) -> NDArray[np.float64]:
    """The probability of each row to be drawn into an epoch: rarer classes and patients more often than they occur."""
    p: NDArray[np.float64] = np.zeros(len(split.y))
    for c in np.unique(split.y):
        of_class = split.y == c
        for subject in np.unique(split.subject[of_class]):
            rows = of_class & (split.subject == subject)
            p[rows] = rows.sum() ** -training.patient_balance
        p[of_class] *= of_class.sum() ** (1 - training.class_balance) / p[of_class].sum()
    p /= p.sum()
    return p


def augment(x: Floats, strength: float, random: np.random.Generator) -> Floats:
    """Another skin and a less exact beat detector: amplitude, baseline, noise, shift in time; jitter of the context."""
    n, length, channels = x.shape
    shift = np.round(random.uniform(-3, 3, n) * strength).astype(int)
    index = np.clip(np.arange(length)[None, :] - shift[:, None], 0, length - 1)
    x = np.take_along_axis(x, index[:, :, None], axis=1)
    gain = np.exp(random.normal(0, 0.2 * strength, (n, 1, 1)))
    phase = random.uniform(0, 2 * np.pi, (n, 1, 1)) + np.linspace(0, np.pi, length)[None, :, None]
    wander = random.normal(0, 0.1 * strength, (n, 1, 1)) * np.sin(phase)
    x[:, :, SIGNAL] = x[:, :, SIGNAL] * gain + wander + random.normal(0, 0.03 * strength, (n, length, 1))
    x[:, :, CONTEXT] += random.normal(0, 0.1 * strength, (n, 1, channels - 1))
    return np.clip(x, -4, 4)


def train(split: Split, training: Training, progress: Callable[[int], None] = lambda epoch: None) -> Any:
    """Train; `progress` hears of each epoch, counted from 1.

    Learning rate: one cosine from `learning_rate` to zero. The model that is returned has the average of the weights
    after each epoch of the second half of the run (Izmailov et al. 2018), which depends less on the last few batches.
    """
    import tensorflow as tf
    import tf_keras

    tf_keras.utils.set_random_seed(training.seed)
    tf.config.experimental.enable_op_determinism()
    random = np.random.default_rng(training.seed)
    model = build(split.x.shape[1:], training)
    steps = training.epochs * (training.rows_per_epoch // training.batch)
    schedule = tf_keras.optimizers.schedules.CosineDecay(training.learning_rate, steps)
    model.compile(tf_keras.optimizers.legacy.Adam(schedule), "sparse_categorical_crossentropy")
    probabilities = drawing_probabilities(split, training)
    kept = []
    for epoch in range(1, training.epochs + 1):
        drawn = random.choice(len(split.y), training.rows_per_epoch, p=probabilities)
        x = augment(split.x[drawn], training.augment, random)
        model.fit(x, split.y[drawn], batch_size=training.batch, epochs=1, shuffle=False, verbose=0)
        if 2 * epoch > training.epochs:
            kept.append(model.get_weights())
        progress(epoch)
    model.set_weights([np.mean(weights, axis=0) for weights in zip(*kept, strict=True)])
    return model


def shadow(rows: Mapping[str, NDArray[Any]], seed: int) -> Any:
    """A model like this example's, on other rows: what `privacy.training` in the policies names.

    Args:
        rows: x, y and subject of the rows to learn from, and their group columns.
        seed: of the run.
    """
    ages = np.full(len(rows["y"]), np.nan, np.float32)  # come as bands here; training looks at neither sex nor age
    return train(Split(rows["x"], rows["y"], rows["subject"], rows["sex"], ages), Training(seed=seed))


def recalls(y: Integers, predicted: Integers) -> dict[str, float]:
    """Accuracy and the recall of each class; NaN for a class that does not occur."""
    hit = y == predicted
    return {"accuracy": hit.mean()} | {
        name: hit[y == c].mean() if (y == c).any() else float("nan") for c, name in enumerate(CLASSES)
    }


def print_groups(split: Split, predicted: Integers) -> None:
    """Accuracy and recall overall, by sex, by age band and by both."""
    age = split.age
    bands = np.select([age < 60, age < 75, age >= 75], ["0-59", "60-74", "75-119"], "unknown")
    both = np.char.add(np.char.add(split.sex, " "), bands)
    print(f"{'group':12} people  beats  accuracy  " + "  ".join(f"{c:>12}" for c in CLASSES))
    for column in (np.full(len(bands), "all"), split.sex, bands, both):
        for group in np.unique(column):
            inside = column == group
            r = recalls(split.y[inside], predicted[inside])
            counts = [int((split.y[inside] == c).sum()) for c in range(len(CLASSES))]
            cells = "  ".join(f"{r[c]:5.3f} {k:6}" if k else f"{'-':>12}" for c, k in zip(CLASSES, counts, strict=True))
            people = len(np.unique(split.subject[inside]))
            print(f"{group:12} {people:6} {inside.sum():6}  {r['accuracy']:8.3f}  {cells}")


def main() -> None:
    """Train on train.npz, save model.h5, and say how it does on people it has not seen."""
    here = Path(__file__).parent / "work"
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=here, help="where prepare.py wrote the splits")
    parser.add_argument("--out", type=Path, default=here, help="where model.h5 goes")
    options = parser.parse_args()

    started = perf_counter()
    training = Training()

    def progress(epoch: int) -> None:
        print(f"epoch {epoch}/{training.epochs}  {perf_counter() - started:.0f} s", flush=True)

    model = train(load(options.data / "train.npz"), training, progress)
    options.out.mkdir(parents=True, exist_ok=True)
    model.save(options.out / "model.h5", include_optimizer=False)
    print(f"{options.out / 'model.h5'}: {model.count_params()} parameters, {perf_counter() - started:.0f} s")
    evaluation = load(options.data / "evaluation.npz")
    print_groups(evaluation, model.predict(evaluation.x, batch_size=1024, verbose=0).argmax(1))


if __name__ == "__main__":
    main()
