"""Turn the MIT-BIH Arrhythmia Database into the splits that `train.py` and `audit ship` read.

    python prepare.py --mitdb DIR [--out DIR]

Every annotated beat becomes one row `[96, 8]`, float32: channel 0 is 0.8 s of lead MLII at 120 Hz around the beat, the
others are constant over the window: the RR intervals around the beat (`RHYTHMS`), and how its QRS complex compares
with the patient's usual one. A row is complete once the next beat is known, or 0.8 s after the beat where that is
later; all averages run over the patient's past only. So a device can compute the same rows from a stream.

The beats' places are the database's own annotations, as in the literature: a beat detector's mistakes are not in here.

Sources: Moody & Mark 2001 (the database), de Chazal et al. 2004, IEEE Trans. Biomed. Eng. 51(7) (the split between
patients, the baseline filter, the RR intervals), ANSI/AAMI EC57 (the classes).
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import wfdb
from numpy.typing import NDArray
from scipy.ndimage import median_filter
from scipy.signal import lfilter, resample_poly

Floats = NDArray[np.float32]
Reals = NDArray[np.float64]
Integers = NDArray[np.int64]

# de Chazal et al. 2004, without record 201: it is the same person as record 202 of the evaluation half.
TRAIN = (101, 106, 108, 109, 112, 116, 118, 119, 122, 203, 207, 208, 209, 215, 220, 223, 230)
CALIBRATION = (114, 115, 124, 205)
EVALUATION = (
    *(100, 103, 105, 111, 113, 117, 121, 123, 200, 202, 210),
    *(212, 213, 214, 219, 221, 222, 228, 231, 232, 233, 234),
)

CLASSES = ("N", "S", "V", "F")
AAMI = {**dict.fromkeys("NLRej", "N"), **dict.fromkeys("AaJS", "S"), **dict.fromkeys("VE", "V"), "F": "F"}
UNCLASSIFIED = frozenset("Q/f?")  # beats that count for the rhythm but have no class of their own here

DECIMATE = 3  # 360 Hz -> 120 Hz
RATE = 120.0
QRS = slice(38, 62)  # samples of the window: 0.1 s on either side
HALF_WINDOW = 48  # samples on either side: 0.4 s
RECENT_BEATS = 32  # memory, in beats, of the usual beat and of the amplitude
LOCAL_BEATS = 10  # de Chazal's local average
TYPICAL_RR = 0.8  # seconds: 75 beats a minute
CALIBRATION_NORMALS = 200  # normal beats kept per calibration patient: calibration needs ranges, not prevalence


@dataclass(frozen=True)
class Beats:
    """The beats of one patient: x float32 [n, 96, 8], y class names [n], and what the header says about the patient."""

    record: int
    x: Floats
    y: NDArray[np.str_]
    sex: str
    age: float


@dataclass(frozen=True)
class Intervals:
    """RR intervals in seconds, one array [n] each: before every beat, after it, and before the beat before it."""

    before: Reals
    after: Reals
    previous: Reals


def read_record(folder: Path, record: int, rhythm: str) -> Beats:
    """One WFDB record as rows; beats without a class of `CLASSES` serve the rhythm and are dropped at the end."""
    signal = wfdb.rdrecord(str(folder / str(record)))
    marks = wfdb.rdann(str(folder / str(record)), "atr")
    is_beat = np.array([s in AAMI or s in UNCLASSIFIED for s in marks.symbol])
    at: Integers = np.asarray(marks.sample, dtype=np.int64)[is_beat]
    names = np.array([AAMI.get(s, "") for s in marks.symbol])[is_beat]

    # Record 114 was digitised with its leads swapped, so the lead is found by name.
    beat, usual = beat_and_usual(signal.p_signal[:, signal.sig_name.index("MLII")], at)
    rr = intervals_around(at / (RATE * DECIMATE))
    context = rhythm_channels(rr, rhythm) + likeness_channels(beat, usual)
    columns = [beat] + [np.broadcast_to(c[:, None], beat.shape) for c in context]

    known = names != ""
    sex, age = read_person(signal.comments)
    return Beats(record, np.stack(columns, axis=-1)[known].astype(np.float32), names[known], sex, age)


def read_person(comments: list[str]) -> tuple[str, float]:
    """Sex ("F", "M" or "") and age in years (NaN where the header gives -1) from the first comment, `69 M 1085 ...`."""
    age, sex, *_ = comments[0].split()
    return (sex if sex in ("F", "M") else ""), (float(age) if float(age) >= 0 else np.nan)


def beat_and_usual(lead: Reals, at: Integers) -> tuple[Floats, Floats]:
    """Windows [n, 96] around the beats, and what such a window usually looks like in this patient up to then.

    Both are in units of twice the patient's recent signal strength: leads and skins differ more than hearts do.
    """
    slow = resample_poly(lead, 1, DECIMATE)
    # de Chazal et al. 2004: medians of 200 ms and 600 ms leave the baseline, without QRS, P and T.
    baseline = median_filter(median_filter(slow, size=25, mode="nearest"), size=73, mode="nearest")
    padded = np.pad(slow - baseline, HALF_WINDOW)
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * HALF_WINDOW)[np.round(at / DECIMATE).astype(int)]

    strength = pd.Series(windows.std(axis=1)).rolling(RECENT_BEATS, min_periods=1).median().to_numpy()
    windows = np.clip(windows / (2 * strength[:, None] + 1e-6), -4, 4)
    keep = 1 - 1 / RECENT_BEATS
    usual, _ = lfilter([1 - keep], [1, -keep], windows, axis=0, zi=keep * windows[:1])
    return windows.astype(np.float32), usual.astype(np.float32)


def intervals_around(at: Reals) -> Intervals:
    """The RR intervals around beats at `at` seconds; the first and last beat repeat their only neighbour."""
    rr = np.clip(np.diff(at), 0.2, 3.0)
    before, after = np.r_[rr[0], rr], np.r_[rr, rr[-1]]
    return Intervals(before, after, np.r_[before[0], before[:-1]])


def published(rr: Intervals) -> list[Reals]:
    """The four intervals of de Chazal et al. 2004: before, after, mean of ten around the beat, mean of the record.

    Against 0.8 s, the same for everybody. Here the ten end with the one after the beat, and the mean is of the past.
    """
    return [interval / TYPICAL_RR for interval in (rr.before, rr.after, *means(rr))]


def means(rr: Intervals) -> tuple[Reals, Reals]:
    """Mean of the ten intervals up to the one after the beat, and of all up to the one before it; seconds."""
    local = pd.Series(rr.after).rolling(LOCAL_BEATS, min_periods=1).mean().to_numpy()
    return local, pd.Series(rr.before).expanding().mean().to_numpy()


def medians(rr: Intervals) -> tuple[Reals, Reals]:
    """Median of the ten intervals up to the one before the beat, and of all up to there; seconds."""
    before = pd.Series(rr.before)
    return before.rolling(LOCAL_BEATS, min_periods=1).median().to_numpy(), before.expanding().median().to_numpy()


def against(rr: Intervals, averages: tuple[Reals, Reals]) -> list[Reals]:
    """Before, after and previous against the average so far; before against the local average."""
    local, so_far = averages
    return [rr.before / so_far, rr.after / so_far, rr.previous / so_far, rr.before / local]


RHYTHMS: dict[str, Callable[[Intervals], list[Reals]]] = {
    "published": published,
    "means": lambda rr: against(rr, means(rr)),
    "medians": lambda rr: against(rr, medians(rr)),
    "published+medians": lambda rr: published(rr) + against(rr, medians(rr)),
}
RHYTHM = "medians"  # the choice of `select_model.py`; the others are there so that the choice can be repeated


def rhythm_channels(rr: Intervals, rhythm: str) -> list[Floats]:
    """Logarithms of the ratios that `rhythm` names, arrays [n]; times 3, to fill the same int8 range as the signal."""
    return [np.clip(3 * np.log(r), -4, 4).astype(np.float32) for r in RHYTHMS[rhythm](rr)]


def likeness_channels(beat: Floats, usual: Floats) -> list[Floats]:
    """How the QRS complex of each beat compares with the patient's usual one, three arrays [n].

    Correlation (Fisher's z), and 3 times the logarithms of the ratios of strength and of sharpness.
    """
    beat, usual = (w[:, QRS] - w[:, QRS].mean(axis=1, keepdims=True) for w in (beat, usual))
    strengths = [w.std(axis=1) + 1e-3 for w in (beat, usual)]
    slopes = [np.abs(np.diff(w, axis=1)).mean(axis=1) + 1e-3 for w in (beat, usual)]
    correlation = (beat * usual).mean(axis=1) / (strengths[0] * strengths[1])
    strength = np.log(strengths[0] / strengths[1])
    sharpness = np.log(slopes[0] / slopes[1]) - strength
    channels = (np.arctanh(np.clip(correlation, -0.999, 0.999)), 3 * strength, 3 * sharpness)
    return [np.clip(c, -4, 4).astype(np.float32) for c in channels]


def thin_normals(beats: Beats, keep: int) -> Beats:
    """The same patient with at most `keep` normal beats, evenly spaced over the half hour."""
    normal = np.flatnonzero(beats.y == "N")
    chosen = normal[np.linspace(0, len(normal) - 1, min(keep, len(normal))).astype(int)]
    rows = np.sort(np.r_[chosen, np.flatnonzero(beats.y != "N")])
    return Beats(beats.record, beats.x[rows], beats.y[rows], beats.sex, beats.age)


def write_split(path: Path, patients: list[Beats]) -> None:
    """One .npz: x [n, 96, 8] float32, y class names, subject, sex, age."""
    lengths = [len(p.y) for p in patients]
    np.savez(
        path,
        x=np.concatenate([p.x for p in patients]),
        y=np.concatenate([p.y for p in patients]),
        subject=np.repeat([str(p.record) for p in patients], lengths),
        sex=np.repeat([p.sex for p in patients], lengths),
        age=np.repeat([p.age for p in patients], lengths).astype(np.float32),
    )
    counts = Counter(np.concatenate([p.y for p in patients]).tolist())
    beats = "  ".join(f"{c} {counts[c]}" for c in CLASSES)
    print(f"{path.name:16} {len(patients):2} patients  {sum(lengths):6} beats  {beats}")


MANIFEST = """\
version: 1
name: mit-bih-arrhythmia
description: >-
  Heart beats of the MIT-BIH Arrhythmia Database, one row a beat, split between patients as in de Chazal et al. 2004.
source: "Moody & Mark 2001, PhysioNet, Open Data Commons Attribution 1.0"
synthetic: false
features: x
shape: [96, {channels}]
label: y
classes: [N, S, V, F]
alarm_classes: [S, V, F]
subject: subject
groups:
  sex: {{column: sex}}
  age_band: {{column: age, bins: [0, 60, 75, 120]}}
splits: {{train: train.npz, calibration: calibration.npz, evaluation: evaluation.npz}}
"""


def main() -> None:
    """Read the records, write three splits and their manifest."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mitdb", type=Path, required=True, help="the WFDB folder as PhysioNet ships it")
    parser.add_argument("--rhythm", choices=sorted(RHYTHMS), default=RHYTHM, help="which RR channels")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "work", help="where the splits go")
    options = parser.parse_args()
    missing = [r for r in TRAIN + CALIBRATION + EVALUATION if not (options.mitdb / f"{r}.hea").is_file()]
    if missing:
        parser.error(f"{options.mitdb}: no {missing[0]}.hea ({len(missing)} records missing); see README.md, The data")

    def read(records: tuple[int, ...]) -> list[Beats]:
        return [read_record(options.mitdb, r, options.rhythm) for r in records]

    options.out.mkdir(parents=True, exist_ok=True)
    calibration = [thin_normals(patient, CALIBRATION_NORMALS) for patient in read(CALIBRATION)]
    write_split(options.out / "calibration.npz", calibration)
    write_split(options.out / "train.npz", read(TRAIN))
    write_split(options.out / "evaluation.npz", read(EVALUATION))
    channels = calibration[0].x.shape[-1]
    (options.out / "dataset.yaml").write_text(MANIFEST.format(channels=channels), encoding="utf-8")


if __name__ == "__main__":
    main()
