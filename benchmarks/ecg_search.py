"""MIT-BIH: what a search costs the group it costs most, held against what is done today at the same .tflite bytes.

    python -m benchmarks.ecg_search [--data DIR] [--work DIR] [--seeds N]

Five float models of different seeds. Of each, the search makes the smallest model that loses 0.02 of balanced accuracy
in no group of the calibration split; the baseline is the same float model with the filters of smallest L1 removed, the
same share in every layer, trained on the labels for as many epochs as the search gives its last round, then int8, of
the bytes that the search's model has. What either costs a group is the balanced accuracy of the float model minus its
own, on the evaluation split, in the device's arithmetic; the worst group is that of sex and age_band which loses most.
Intervals are t intervals of the five differences. What is in the work folder already is not made again.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from benchmarks.ecg_seed import ALLOWED, EXAMPLE, GROUPS
from benchmarks.table import Row, conclude

SEEDS = 5
_AT_ONCE = 4
_STAGES = (
    ("train", "model.h5"),
    ("find", "search.json"),
    ("half", "half.tflite"),
    ("baselines", "weights.tflite"),
    ("judge", "judged.json"),
)
Over = Literal["present", "often"]
"""The classes of a group that its balanced accuracy is the mean over: all that occur, or those with 30 beats."""
_CLASSES: dict[Over, str] = {"often": "worst group, classes of 30 beats in it", "present": "worst group, all classes"}
_OTHERS = {
    "half": "half of the bytes",
    "int8": "plain int8",
    "filters": "L1 filters, int8",
    "weights": "80 % of weights, int8",
}


@dataclass(frozen=True)
class Seeds:
    """What every seed came to, in the order of the seeds."""

    judged: tuple[dict[str, Any], ...]
    searched: tuple[dict[str, Any], ...]
    again: str
    """SHA-256 of what the recipe that the first seed's search chose gives in another process."""

    def bytes(self, name: str) -> NDArray[np.float64]:
        """[seeds] size of a model's .tflite."""
        return np.array([each["bytes"][name] for each in self.judged], float)

    def drops(self, name: str, over: Over, specs: tuple[str, ...] = GROUPS) -> NDArray[np.float64]:
        """[seeds] what a model costs the group that it costs most, in balanced accuracy."""
        return np.array([max(_costs(each["balanced_accuracy"], name, over, specs)) for each in self.judged])


def rows(data: Path = EXAMPLE / "work", work: Path | None = None, seeds: int = SEEDS) -> list[Row]:
    """Run what is missing, and hold it against the bars.

    Args:
        data: folder of `examples/ecg/prepare.py`.
        work: folder of the results of every seed; left out: `search` in the folder of the data.
        seeds: how many float models.
    """
    return _rows(_all_seeds(data, work or data / "search", seeds))


def _all_seeds(data: Path, work: Path, seeds: int) -> Seeds:
    numbers = range(1, seeds + 1)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for _ in pool.map(partial(_seed, data, work), numbers):
            pass
    _run("repeat", "repeated.json", data, work / "1", 1)
    return Seeds(
        judged=tuple(_read(work / str(seed) / "judged.json") for seed in numbers),
        searched=tuple(_read(work / str(seed) / "search.json") for seed in numbers),
        again=_read(work / "1" / "repeated.json")["sha256"],
    )


def _seed(data: Path, work: Path, seed: int) -> None:
    for stage, made in _STAGES:
        _run(stage, made, data, work / str(seed), seed)


def _run(stage: str, made: str, data: Path, folder: Path, seed: int) -> None:
    """One stage in a process of its own, unless its last file is there."""
    if (folder / made).exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    options = {"--data": data, "--work": folder, "--seed": seed}
    words = [str(word) for option in options.items() for word in option]
    subprocess.run([sys.executable, "-m", "benchmarks.ecg_seed", stage, *words], check=True)
    print(f"seed {seed}: {stage}", file=sys.stderr, flush=True)


def _read(path: Path) -> Any:
    return json.loads(path.read_text())


def _costs(accuracies: dict[str, Any], name: str, over: Over, specs: tuple[str, ...]) -> list[float]:
    return [
        of_float[over] - accuracies[name][group][over]
        for group, of_float in accuracies["float"].items()
        if group.split("=")[0] in specs
    ]


def _rows(seeds: Seeds) -> list[Row]:
    apart = np.abs(seeds.bytes("filters") / seeds.bytes("search") - 1).max()
    half = (seeds.bytes("half") / seeds.bytes("int8")).mean()
    same = float(seeds.again == seeds.searched[0]["sha256"])
    return [
        *_against(seeds, "often"),
        *_against(seeds, "present"),
        Row("largest difference in .tflite bytes between the two", apart, "", at_most=0.02),
        Row("bytes of the half, against plain int8's, mean", half, "", at_most=0.5),
        Row("peak memory of a search", max(each["peak_gib"] for each in seeds.searched), "GiB", at_most=4),
        Row("the same recipe and seed twice gives the same bytes", same, "", at_least=1),
    ]


def _against(seeds: Seeds, over: Over) -> list[Row]:
    """Losses of the worst group by one of the two definitions."""
    ours, filters, weights, half = (seeds.drops(name, over) for name in ("search", "filters", "weights", "half"))
    said = f"{_CLASSES[over]}, {len(ours)} seeds"
    return [
        Row(f"drop cut against L1 filters at the same bytes ({said})", _cut(ours, filters), "", at_least=0.5),
        Row(f"lower end of that difference's paired 95 % interval ({said})", _lower(filters - ours), "", at_least=1e-9),
        Row(f"drop cut against 80 % of weights pruned ({said})", _cut(ours, weights), "", at_least=0.5),
        Row(f"drop of what the search found, mean ({said})", ours.mean(), "", at_most=ALLOWED),
        Row(f"drop at half of int8's bytes, mean ({said})", half.mean(), "", at_most=ALLOWED),
    ]


def _cut(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> float:
    return float(1 - ours.mean() / theirs.mean())


def _lower(differences: NDArray[np.float64]) -> float:
    """Of the t interval of the mean."""
    n = len(differences)
    half = stats.t.ppf(0.975, n - 1) * differences.std(ddof=1) / np.sqrt(n)
    return float(differences.mean() - half)


def table(seeds: Seeds) -> str:
    """Drops of the worst group by seed, for each model."""
    lines = [f"{'':24}{'bytes':>8}  worst group's drop by seed (all classes | classes with 30 beats)"]
    for name, said in ({"search": "what the search found"} | _OTHERS).items():
        cells = (" ".join(f"{drop:+.3f}" for drop in seeds.drops(name, over)) for over in ("present", "often"))
        lines.append(f"{said:24}{seeds.bytes(name).mean():8.0f}  {' | '.join(cells)}")
    return "\n".join(lines)


def main() -> None:
    """Print the table by seed, then the rows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=EXAMPLE / "work")
    parser.add_argument("--work", type=Path, help="results of every seed; left out: `search` in the data's folder")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    options = parser.parse_args()
    found = _all_seeds(options.data, options.work or options.data / "search", options.seeds)
    print(table(found))
    conclude("ecg_search", _rows(found))


if __name__ == "__main__":
    main()
