"""The search itself: divide the people, halve the recipes, lift operators where that helps, ship the smallest."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from audit_pipeline.canonical import canonical_json, sha256_hex
from audit_pipeline.compress.candidate import Candidate
from audit_pipeline.data.population import Development, split_digest
from audit_pipeline.memory import open_memory
from audit_pipeline.model.source import SourceModel
from audit_pipeline.policy.boards import Board
from audit_pipeline.policy.recipe import Search
from audit_pipeline.policy.schema import FairnessRule, Statistics
from audit_pipeline.progress import Progress, silent
from audit_pipeline.search.around import ALONE, Around, State
from audit_pipeline.search.choice import choose
from audit_pipeline.search.halving import Halving, news, rounds
from audit_pipeline.search.lifting import Lifting
from audit_pipeline.search.record import record
from audit_pipeline.search.score import examiner
from audit_pipeline.search.selection import Selection, divide
from audit_pipeline.search.space import propose
from audit_pipeline.search.trial import Lessons, Workshop
from audit_pipeline.search.wording import reasons, rounds_said

CODE = ("compress", "data", "device", "evaluate", "model", "policy", "search", "statistics", "strict_yaml")
"""What a trial's result follows from: nothing that renders, signs or logs, and no command."""


def search(
    source: SourceModel,
    settings: Search,
    seed: int,
    data: Development,
    rules: Sequence[FairnessRule],
    statistics: Statistics,
    board: Board,
    around: Around = ALONE,
    progress: Progress = silent,
) -> Candidate:
    """Find the smallest integer model that keeps the fairness rules on people it was not trained on.

    Equal arguments give equal bytes on the same machine and library versions, with a cache or without, in one go or
    after a kill; a time limit alone makes the result depend on the machine.

    Args:
        source: an inspected Keras model.
        settings: the policy's.
        seed: of everything that is drawn.
        data: the train and calibration splits. The evaluation split is not among them: it judges what is found here,
            once, and nothing here can be chosen by it.
        rules: the policy's fairness rules.
        statistics: the policy's, for the rows and people below which a rule is not asked.
        board: what the model may take.
        around: cache, clock and observer.
        progress: told how far each step of a trial is.

    Returns:
        The very bytes that were measured, and in `part.search` how they were found.

    Raises:
        InputError: the model or the data cannot be compressed, no rule can be asked of the rows to choose by, or the
            cache cannot be used.
    """
    memory = open_memory(around.cache, CODE)
    learning, selection = divide(data, settings.holdout, seed)
    judge = examiner(source, data, selection, rules, statistics, progress)
    chosen_by = _digest(selection, rules, statistics)
    workshop = Workshop(source, seed, board, judge, chosen_by, memory, progress)
    proposals = propose(settings, sorted(data.train.groups), seed)
    in_time = _deadline(settings, around)
    halved = Halving(workshop, learning, settings, in_time, around.observe).carry_out(proposals)
    last = rounds(settings)[-1]
    lessons = Lessons(learning)
    lifting = Lifting(
        lambda one: workshop.trial(one, lessons, last.number + 1, last.epochs) if in_time() else None,
        settings.margin,
        settings.most_lifted,
    )
    finalists = {number: halved.results[number] for number in halved.finalists}
    if halved.complete:
        lifting.lift(finalists.values())
    finalists |= {one.proposal.number: one for one in lifting.saved}
    chosen = choose(finalists.values(), settings.margin)
    why = reasons(proposals, halved, lifting, finalists, chosen, settings)
    part = record(
        proposals,
        halved.results | finalists,
        why,
        chosen,
        rounds_said(settings, lifting),
        selection,
        passes=halved.passes + lifting.passes,
        complete=halved.complete and not lifting.out_of_time,
    )
    around.observe(news(chosen, State.CHOSEN, why[chosen.proposal.number]))
    assert chosen.candidate is not None, "what was chosen was made"  # noqa: S101
    return Candidate(chosen.candidate.tflite, chosen.candidate.part.model_copy(update={"search": part}))


def _digest(selection: Selection, rules: Sequence[FairnessRule], statistics: Statistics) -> str:
    """Digest of all that a score follows from besides the candidate."""
    told = {
        "rows": split_digest(selection.rows),
        "rules": [rule.model_dump(mode="json", by_alias=True) for rule in rules],
        "statistics": statistics.model_dump(mode="json"),
    }
    return sha256_hex(canonical_json(told))


def _deadline(settings: Search, around: Around) -> Callable[[], bool]:
    """Whether another trial may be begun."""
    clock, seconds = around.clock, settings.seconds
    if seconds is None:
        return lambda: True
    assert clock is not None, "a time limit needs a clock"  # noqa: S101
    begun = clock()
    return lambda: clock() - begun < seconds
