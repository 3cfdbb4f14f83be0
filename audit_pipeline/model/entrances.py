"""Whether the rows of a data set are what a model with several inputs takes: the same names, order and shapes."""

from __future__ import annotations

from collections.abc import Sequence

from audit_pipeline.data.population import Development
from audit_pipeline.errors import InputError
from audit_pipeline.evidence import InputPart
from audit_pipeline.model.outputs import shape_text
from audit_pipeline.model.source import SourceModel


def check_inputs(source: SourceModel, data: Development) -> None:
    """Hold the inputs of a model against those of the manifest; where neither has several, there is nothing to say.

    Raises:
        InputError: `model.inputs`: one has several and the other not, or names or order differ; `model.input-shape`.
    """
    model, rows = source.part.inputs, data.part.inputs
    names, given = [each.name for each in model], [each.name for each in rows]
    if names != given:
        raise InputError("model.inputs", _difference(names, given), where=str(source.path), hint=_hint(model))
    for wanted, found in zip(model, rows, strict=True):
        if wanted.shape != found.shape:
            raise InputError(
                "model.input-shape",
                f"the input {wanted.name} takes rows of shape {shape_text(wanted.shape)}, "
                f"the data set has {shape_text(found.shape)}",
                where=str(source.path),
                hint=f"set `shape: {{{wanted.name}: {list(wanted.shape)}}}` in the manifest, "
                "or prepare the data as the model was trained",
            )


def _difference(names: list[str], given: list[str]) -> str:
    if sorted(names) == sorted(given):
        return f"the model takes its inputs in the order {', '.join(names)}, the manifest has {', '.join(given)}"
    takes = f"the inputs {', '.join(names)}" if names else "one input"
    return f"the model takes {takes}, the manifest's features are {', '.join(given) or 'of one input'}"


def _hint(model: Sequence[InputPart]) -> str:
    if not model:
        return "set `features` in the manifest to an array's name, a pattern or a list of columns"
    return f"set `features: {{{', '.join(f'{each.name}: …' for each in model)}}}` in the manifest, in this order"
