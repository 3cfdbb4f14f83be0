"""Before hours of training: whether what comes out of it could run on a device at all.

Which operators a model becomes does not depend on its weights, so it is converted as it is, on a few rows, and
tflite-micro is asked. A recipe that only quantizes needs no such question: it is about to be answered anyway, and the
answer is a finding of the report.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal

from audit_pipeline.compress.convert import convert
from audit_pipeline.data.population import Development
from audit_pipeline.device.arena import Trial, try_in_tflite_micro
from audit_pipeline.errors import InputError
from audit_pipeline.model.intake import inspect_model
from audit_pipeline.model.load import load_keras
from audit_pipeline.model.runtime import keras_runtime
from audit_pipeline.model.source import SourceModel
from audit_pipeline.policy.recipe import Compress, DistillStep, QuantizeStep
from audit_pipeline.progress import Progress, silent
from audit_pipeline.tflite import Subgraph, read_graph

_ROWS = 16
_NODE = re.compile(r"Node \w+ \(number (\d+)\)")
_HERE = Path()


def preflight(
    source: SourceModel, section: Compress, data: Development, progress: Progress = silent, *, folder: Path = _HERE
) -> None:
    """Refuse, before anything is trained, a model that tflite-micro cannot run in integers.

    Args:
        source: an inspected Keras model.
        section: the recipe or search that is about to be carried out; nothing is asked of one that does not train.
        data: the calibration split gives the rows to convert on.
        progress: told how far the question is.
        folder: that the paths in the recipe are relative to: the policy's.

    Raises:
        InputError: `model.no-kernel`, with the operator and the layer it comes from; or as `load_keras` and `convert`.
    """
    if not _trains(section):
        return
    progress("preflight", 0.0)
    shipped = _shipped(source, section, folder)
    keras_runtime(section.seed)
    model = load_keras(shipped)
    tflite = convert(model, data.calibration.x[:_ROWS], _scheme(section), silent)
    trial = try_in_tflite_micro(tflite)
    if trial.arena_bytes is None:
        raise _refused(shipped, model, trial, read_graph(tflite).main)
    progress("preflight", 1.0)


def _trains(section: Compress) -> bool:
    return section.recipe is None or any(
        not isinstance(step, QuantizeStep) or step.quantize.aware is not None for step in section.recipe
    )


def _scheme(section: Compress) -> Literal["int8", "int16x8"]:
    """The recipe's; a search and a mixed recipe start from int8."""
    quantizing = [step.quantize.scheme for step in section.recipe or () if isinstance(step, QuantizeStep)]
    return "int16x8" if quantizing == ["int16x8"] else "int8"


def _shipped(source: SourceModel, section: Compress, folder: Path) -> SourceModel:
    """The model whose layers will run on the device: the last student that is given by a file, else the source."""
    students = [step.distill.student for step in section.recipe or () if isinstance(step, DistillStep)]
    given = [student for student in students if student is not None]
    return inspect_model(folder / given[-1]) if given else source


def _refused(source: SourceModel, model: Any, trial: Trial, graph: Subgraph) -> InputError:
    """The error, with every operator that stands in the way and the layers it comes from."""
    node = _NODE.search(trial.reason)
    stopped = None if trial.missing or node is None else int(node[1])
    places = dict.fromkeys(
        f"{operator.name} of {_layer(graph.tensors[operator.outputs[0]].name, model)}"
        for number, operator in enumerate(graph.operators)
        if operator.outputs and (operator.name in trial.missing or number == stopped)
    )
    return InputError(
        "model.no-kernel",
        f"{trial.reason}: {', '.join(places)}" if places else trial.reason,
        where=str(source.path),
        hint="replace the layer or its activation by one that tflite-micro has an integer kernel for, as ReLU, tanh "
        "or sigmoid; nothing was trained",
    )


def _layer(name: str, model: Any) -> str:
    """The Keras layer behind an operator, whose output bears its name: `inner.dense.Gelu` is of `dense`."""
    known = {layer.name: type(layer).__name__ for layer in model._flatten_layers(include_self=False)}
    trail = [model.output_names[0]] if name == "output" else name.split(".")
    found = next((part for part in reversed(trail) if part in known), None)
    return f"layer {found!r} ({known[found]})" if found else f"tensor {name!r}"
