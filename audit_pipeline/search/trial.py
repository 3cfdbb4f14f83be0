"""One recipe carried out: bytes, what they cost on the board, and what they do to groups."""

from __future__ import annotations

import gc
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pydantic import ConfigDict, model_validator

from audit_pipeline.canonical import canonical_json, sha256_hex
from audit_pipeline.compress.candidate import Candidate
from audit_pipeline.compress.recipe import Shaped, finish, shape
from audit_pipeline.data.population import Development, split_digest
from audit_pipeline.device.footprint import measure
from audit_pipeline.errors import InputError
from audit_pipeline.evidence import CandidatePart, Footprint
from audit_pipeline.measurement import Part
from audit_pipeline.memory import Memory
from audit_pipeline.model.source import SourceModel
from audit_pipeline.policy.boards import Board
from audit_pipeline.policy.recipe import Compress, Recipe
from audit_pipeline.progress import Progress
from audit_pipeline.search.score import Examiner, Score
from audit_pipeline.search.space import Proposal


class Made(Part):
    """The bytes that a recipe gave, and what they cost on the board."""

    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    tflite: bytes
    candidate: CandidatePart
    footprint: Footprint

    @model_validator(mode="after")
    def _is_what_it_says(self) -> Made:
        if sha256_hex(self.tflite) != self.candidate.sha256:
            raise ValueError("the bytes are not the candidate's")
        return self


@dataclass(frozen=True)
class Result:
    """What came of one proposal in one round."""

    proposal: Proposal
    recipe: Recipe
    round: int
    epochs: int
    made: Made | None
    """None where the recipe cannot be carried out."""
    score: Score | None
    """None where groups were not measured."""
    reason: str = ""
    """Why there is no model, or none that can run on the device; empty where there is."""

    @property
    def candidate(self) -> Candidate | None:
        """The bytes with their recipe."""
        return None if self.made is None else Candidate(self.made.tflite, self.made.candidate)


@dataclass(frozen=True, eq=False)
class Lessons:
    """What the trials of one round learn from."""

    data: Development

    @cached_property
    def digest(self) -> str:
        """Digest of all that a recipe may use of the data."""
        named = {
            "part": self.data.part.model_dump(mode="json", exclude={"sha256", "splits"}),
            "train": split_digest(self.data.train),
            "calibration": split_digest(self.data.calibration),
        }
        return sha256_hex(canonical_json(named))


@dataclass(frozen=True)
class Workshop:
    """Carries recipes out, or remembers what came of them."""

    source: SourceModel
    seed: int
    board: Board
    examiner: Examiner
    chosen_by: str
    """Digest of the rows, rules and statistics behind a score."""
    memory: Memory
    progress: Progress
    last: dict[tuple[Recipe, str], Shaped] = field(default_factory=dict)
    """The float model that was made last, under the steps that made it and what it learnt from."""

    def outline(self, proposal: Proposal, lessons: Lessons) -> Result:
        """Size and operators of a proposal, without training it."""
        return self._carry_out(proposal, proposal.outline(), lessons, 0, 0, scored=False)

    def trial(self, proposal: Proposal, lessons: Lessons, number: int, epochs: int) -> Result:
        """A proposal trained on a round's lessons, and measured."""
        return self._carry_out(proposal, proposal.recipe(epochs), lessons, number, epochs, scored=True)

    def _carry_out(
        self, proposal: Proposal, recipe: Recipe, lessons: Lessons, number: int, epochs: int, *, scored: bool
    ) -> Result:
        question = self._question(recipe, lessons)
        try:
            made = self.memory.recall(question, Made, lambda: self._make(recipe, lessons))
            if not _runs(made):
                return Result(proposal, recipe, number, epochs, made, None, "tflite-micro does not run it")
            score = self._score(made, question) if scored else None
        except InputError as error:
            return Result(proposal, recipe, number, epochs, None, None, str(error))
        return Result(proposal, recipe, number, epochs, made, score)

    def _question(self, recipe: Recipe, lessons: Lessons) -> dict[str, Any]:
        return {
            "source": self.source.part.sha256,
            "data": lessons.digest,
            "recipe": [step.model_dump(mode="json") for step in recipe],
            "seed": self.seed,
            "board": [self.board.name, self.board.source, self.board.flash_kib, self.board.ram_kib],
        }

    def _make(self, recipe: Recipe, lessons: Lessons) -> Made:
        section = Compress(recipe=recipe, seed=self.seed)
        candidate = finish(self._shaped(section, lessons), section, lessons.data, self.progress)
        board = self.board
        footprint = measure(candidate, board.name, board.source, board.flash_kib << 10, board.ram_kib << 10)
        return Made(tflite=candidate.tflite, candidate=candidate.part, footprint=footprint)

    def _shaped(self, section: Compress, lessons: Lessons) -> Shaped:
        """The float model of a recipe: that of the last one, where they differ in how it is quantized alone."""
        steps = (section.recipe or ())[:-1]
        if (steps, lessons.digest) not in self.last:
            self.last.clear()
            gc.collect()  # Keras models are cycles: without this the last trial's stands beside the next one's
            self.last[steps, lessons.digest] = shape(self.source, section, lessons.data, self.progress)
        return self.last[steps, lessons.digest]

    def _score(self, made: Made, question: dict[str, Any]) -> Score:
        candidate = Candidate(made.tflite, made.candidate)
        asked = {"made": question, "tflite": made.candidate.sha256, "chosen_by": self.chosen_by}
        return self.memory.recall(asked, Score, lambda: self.examiner.score(candidate, self.progress))


def _runs(made: Made) -> bool:
    return made.footprint.arena_bytes is not None
