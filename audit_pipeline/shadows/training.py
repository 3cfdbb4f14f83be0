"""How a shadow is trained: as the source was, by a function beside the policy or by recorded settings."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from audit_pipeline.canonical import canonical_json, sha256_file, sha256_hex
from audit_pipeline.compress.lesson import lesson
from audit_pipeline.compress.objective import Objective, objective
from audit_pipeline.compress.training import fit, fresh
from audit_pipeline.data.population import Development, Split
from audit_pipeline.errors import InputError
from audit_pipeline.model.load import load_keras, loaded_description
from audit_pipeline.model.predict import output_kind
from audit_pipeline.model.runtime import keras, keras_runtime, quiet
from audit_pipeline.model.source import SourceModel
from audit_pipeline.policy.steps import Training
from audit_pipeline.progress import silent


@dataclass(frozen=True)
class Retraining:
    """The source's architecture, from weights drawn anew."""

    source: SourceModel
    settings: Training

    @property
    def where(self) -> str:
        """The file that shadows are made after."""
        return str(self.source.path)

    @property
    def said(self) -> str:
        """In words."""
        given = self.settings
        return (
            f"the architecture of {self.source.part.file} from weights drawn anew: {given.epochs} epochs, learning "
            f"rate {given.learning_rate:g}, batches of {given.batch_size}"
        )

    @property
    def sha256(self) -> str:
        """Of the settings."""
        return sha256_hex(canonical_json(self.settings.model_dump(mode="json")))

    @property
    def question(self) -> dict[str, Any]:
        """All that a shadow follows from besides its rows and its seed."""
        return {"source": self.source.part.sha256, "settings": self.settings.model_dump(mode="json")}

    def train(self, data: Development, seed: int) -> Any:
        """A tf_keras model, trained on the train split of `data`.

        Raises:
            InputError: as `load_keras`, `objective` and `fit`.
        """
        keras_runtime(seed)
        source = load_keras(self.source)
        aim = objective_of(self.source, source, data)
        units = int(source.outputs[0].shape[-1])
        model = fresh(source, seed)
        fit(model, self.settings, lesson(data, aim, units), seed, silent, "train a shadow model")
        return model


@dataclass(frozen=True)
class TrainingCode:
    """A function of a module beside the policy."""

    path: Path
    function: str
    sha256: str
    """Of the module as it was when the run began."""
    beside: dict[str, str]
    """Digests of the modules in the same folder, any of which it may import."""

    @property
    def where(self) -> str:
        """The file that shadows are made by."""
        return str(self.path)

    @property
    def said(self) -> str:
        """In words."""
        return f"by {self.path.name}:{self.function} beside the policy"

    @property
    def question(self) -> dict[str, Any]:
        """All that a shadow follows from besides its rows and its seed, as far as it can be known."""
        return {"function": self.function, "module": self.sha256, "beside": self.beside}

    def train(self, data: Development, seed: int) -> Any:
        """What the function makes of the train split of `data`.

        Raises:
            InputError: `privacy.training-function`: it cannot be found, or fails; names file and line.
                `privacy.not-a-model`: it gives no tf_keras model.
        """
        keras_runtime(seed)
        with self._explained(), _imports_from(self.path.parent):
            function = getattr(self._module(), self.function, None)
            if not callable(function):
                raise InputError(
                    "privacy.training-function",
                    f"there is no function {self.function}",
                    where=str(self.path),
                    hint="privacy.training is module:function, of a module beside the policy",
                )
            model = function(_rows(data.train), seed)
        if not isinstance(model, keras().Model):
            raise InputError(
                "privacy.not-a-model",
                f"{self.function} gives {type(model).__module__}.{type(model).__name__}, not a tf_keras model",
                where=str(self.path),
                hint="build and train it by tf_keras, which TensorFlow calls Keras 2, and return it",
            )
        return model

    def _module(self) -> ModuleType:
        """The module, run from the very bytes that have the digest."""
        raw = self.path.read_bytes()
        if sha256_hex(raw) != self.sha256:
            raise InputError(
                "privacy.training-changed",
                "the module changed on disk after the run began",
                where=str(self.path),
                hint="start again",
            )
        module = ModuleType(f"shadow_training_{self.sha256[:16]}")
        module.__file__ = str(self.path)
        sys.modules[module.__name__] = module  # dataclasses look their module up
        exec(compile(raw, str(self.path), "exec"), module.__dict__)  # noqa: S102
        return module

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Whatever goes wrong in code that is not ours, as one line with its place."""
        try:
            yield
        except InputError:
            raise
        except (Exception, SystemExit) as error:
            within = [frame for frame in traceback.extract_tb(error.__traceback__) if self._is_beside(frame.filename)]
            line = error.lineno if isinstance(error, SyntaxError) else within[-1].lineno if within else None
            file = within[-1].filename if within else str(self.path)
            message = (str(error).strip().splitlines() or ["no reason given"])[0][:300]
            raise InputError(
                "privacy.training-function",
                f"the training function fails: {type(error).__name__}: {message}",
                where=file if line is None else f"{file}:{line}",
                hint="it is called as function(rows, seed), with rows a mapping of arrays",
            ) from error

    def _is_beside(self, file: str) -> bool:
        return Path(file).is_relative_to(self.path.parent)


def training_code(name: str, folder: Path, *, allow_code: bool, where: str) -> TrainingCode:
    """The function that a policy names, found but not run.

    Args:
        name: `module:function`.
        folder: the policy's.
        allow_code: whether code beside a policy may be run.
        where: the place of the name in the policy, for errors.

    Raises:
        InputError: `privacy.code-not-allowed`, or `privacy.training-function`: there is no such module.
    """
    module, function = name.split(":")
    path = folder.joinpath(*module.split(".")).with_suffix(".py")
    if not path.is_file():
        raise InputError(
            "privacy.training-function",
            f"there is no file {path.name} to take the training function from",
            where=where,
            hint="privacy.training is module:function, of a module beside the policy",
        )
    if not allow_code:
        raise InputError(
            "privacy.code-not-allowed",
            f"the policy asks to run {path.name}, and code is run only where that is allowed",
            where=where,
            hint="read it, then give --allow-code",
        )
    beside = {each.name: sha256_file(each) for each in sorted(path.parent.glob("*.py"))}
    return TrainingCode(path, function, sha256_file(path), beside)


def objective_of(source: SourceModel, model: Any, data: Development) -> Objective:
    """The loss that a model like the source is trained with.

    Raises:
        InputError: as `objective` and `output_kind`.
    """
    kind = output_kind(model, str(source.path), data.reading)
    return objective(loaded_description(source).loss, kind, int(model.outputs[0].shape[-1]), data.reading)


def saved(model: Any, source: SourceModel | None, data: Development, path: Path) -> None:
    """Write a shadow to an .h5 file, with the source's loss: steps that train go on with it."""
    if source is not None:
        with suppress(InputError):  # where no loss fits, a step that trains says so
            model.compile("sgd", objective_of(source, model, data).instance())
    with quiet():
        model.save(path, include_optimizer=source is not None)


@contextmanager
def _imports_from(folder: Path) -> Iterator[None]:
    """What the module imports is looked for beside it first, as where it is run as a script, and forgotten again."""
    known = set(sys.modules)
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        for name in set(sys.modules) - known:
            if Path(getattr(sys.modules[name], "__file__", None) or "/").is_relative_to(folder):
                del sys.modules[name]


def _rows(split: Split) -> dict[str, np.ndarray[Any, Any]]:
    optional = {"subject": split.subjects, "target": split.target}
    given = {**split.groups, "x": split.x, "y": split.y, **optional}
    return {name: np.array(values) for name, values in given.items() if values is not None}
