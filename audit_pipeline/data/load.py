"""A data set, read whole and checked: each split by itself, then the splits against each other."""

from __future__ import annotations

from itertools import chain, combinations
from pathlib import Path

import numpy as np

from audit_pipeline.canonical import canonical_json, sha256_hex
from audit_pipeline.data.manifest import Manifest
from audit_pipeline.data.population import SPLITS, Population, Split
from audit_pipeline.data.retention import require_kept
from audit_pipeline.data.split import SplitFile, read_split
from audit_pipeline.errors import InputError
from audit_pipeline.evidence import DataPart, SplitPart
from audit_pipeline.progress import Progress, silent
from audit_pipeline.strict_yaml import Loaded, load

_STAGE = "data"
_NAMED = 5  # shared subjects an error names


def load_population(manifest_path: Path, progress: Progress = silent, *, now: str | None = None) -> Population:
    """Read the data set that a manifest describes.

    Args:
        manifest_path: the manifest; the splits it names are relative to it.
        progress: is told of each split.
        now: the time, UTC, ISO 8601: past the last day on which the data may be kept no split is opened. None where
            that is not asked, as for data made a moment ago.

    Raises:
        InputError: the manifest or a split cannot be used or may not be any more (`data.retention-passed`), or the
            splits do not fit each other: rows of different shapes, people in two splits, a class the train split never
            shows.
    """
    manifest = load(manifest_path, Manifest, _STAGE)
    if now is not None:
        require_kept(manifest.value.retention, now, where=manifest.where(("retention", "until")))
    files: dict[str, SplitFile] = {}
    for number, name in enumerate(SPLITS):
        progress(f"reading the {name} split", number / len(SPLITS))
        files[name] = read_split(manifest, name)
    progress("reading the data set", 1.0)
    for (_, first), (_, second) in combinations(files.items(), 2):
        _check_alike(first, second)
    for (one, first), (other, second) in combinations(files.items(), 2):
        _check_apart(manifest, (one, first), (other, second))
    _check_train(manifest, files["train"])
    return Population(part=_part(manifest, files), **{name: file.split for name, file in files.items()})


def _check_alike(first: SplitFile, second: SplitFile) -> None:
    one, other = first.split.x.shape[1:], second.split.x.shape[1:]
    if one != other or first.inputs != second.inputs:
        text = f"rows have shape {_rows(first)} in {first.path.name} and {_rows(second)} in {second.path.name}"
        raise InputError("data.shape", text, where=str(second.path))
    if first.features != second.features:
        odd = sorted({*chain(*first.features)} ^ {*chain(*second.features)})
        text = (
            f"only one of {first.path.name} and this has {', '.join(odd[:_NAMED])}" if odd else "another column order"
        )
        hint = "list the columns under features in the order the model takes them"
        raise InputError(
            "data.features-differ", f"the feature columns differ: {text}", where=str(second.path), hint=hint
        )


def _rows(file: SplitFile) -> str:
    """The shape of a file's rows, by input where there are several."""
    return ", ".join(f"{each.name} {each.shape}" for each in file.inputs) or str(file.split.x.shape[1:])


def _check_apart(manifest: Loaded[Manifest], one: tuple[str, SplitFile], other: tuple[str, SplitFile]) -> None:
    (name, first), (second_name, second) = one, other
    where = manifest.where(("splits", second_name))
    if first.sha256 == second.sha256:
        text = f"{first.path.name} and {second.path.name} hold the same bytes; every split needs rows of its own"
        raise InputError("data.split-repeated", text, where=where)
    if first.split.subjects is None or second.split.subjects is None:
        return
    shared = np.intersect1d(first.split.subjects, second.split.subjects)
    if len(shared):
        listed = ", ".join(str(subject) for subject in shared[:_NAMED]) + (", …" if len(shared) > _NAMED else "")
        people = "1 subject is" if len(shared) == 1 else f"{len(shared)} subjects are"
        raise InputError(
            "data.subject-shared",
            f"{people} in both the {name} and the {second_name} split: {listed}",
            where=where,
            hint="put all rows of a person into one split: a model is not tested on people it has met",
        )


def _check_train(manifest: Loaded[Manifest], train: SplitFile) -> None:
    """Every class must have been met in training; of an anomaly only the normal one, as many models learn no other."""
    said = manifest.value
    needed = said.classes[:1] if said.task == "anomaly" else said.classes
    absent = [name for index, name in enumerate(needed) if not (train.split.y == index).any()]
    if absent:
        text = f"no row of the train split is labelled {', '.join(absent)}: the model cannot have learnt it"
        hint = "normal comes first" if said.task == "anomaly" else "leave it out of classes"
        raise InputError("data.class-absent", text, where=manifest.where(("classes",)), hint=hint)


def _part(manifest: Loaded[Manifest], files: dict[str, SplitFile]) -> DataPart:
    said = manifest.value
    digests = {"manifest": manifest.sha256, "splits": {name: file.sha256 for name, file in files.items()}}
    return DataPart(
        name=said.name,
        description=said.description,
        source=said.source,
        synthetic=said.synthetic,
        sha256=sha256_hex(canonical_json(digests)),
        classes=said.classes,
        alarm_classes=said.alarms,
        splits=tuple(_split_part(name, file, said) for name, file in files.items()),
        task=said.task,
        threshold=said.threshold,
        score=said.score,
        unit=said.unit,
        row_seconds=said.row_seconds,
        class_weights=_class_weights(said, files["train"].split),
        inputs=files["train"].inputs,
        lawful_basis=said.lawful_basis,
        differential_privacy=said.differential_privacy.budget if said.differential_privacy else None,
        retention_until=said.retention.until if said.retention else None,
    )


def _class_weights(said: Manifest, train: Split) -> dict[str, float] | None:
    """As they are given, 1 where a class has none; `balanced` gives every class of the train split the same total."""
    if said.class_weights is None:
        return None
    if isinstance(said.class_weights, str):
        rows = {name: int((train.y == index).sum()) for index, name in enumerate(said.classes)}
        met = sum(1 for count in rows.values() if count)
        return {name: len(train) / (met * count) for name, count in rows.items() if count}
    return {name: said.class_weights.get(name, 1.0) for name in said.classes}


def _split_part(name: str, file: SplitFile, said: Manifest) -> SplitPart:
    split: Split = file.split
    return SplitPart.model_validate(
        {
            "name": name,
            "file": getattr(said.splits, name),
            "sha256": file.sha256,
            "rows": len(split),
            "subjects": None if split.subjects is None else len(np.unique(split.subjects)),
            "classes": {name: int((split.y == index).sum()) for index, name in enumerate(said.classes)},
            "groups": {
                column: {
                    str(value): int(count) for value, count in zip(*np.unique(values, return_counts=True), strict=True)
                }
                for column, values in split.groups.items()
            },
        }
    )
