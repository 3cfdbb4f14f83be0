"""The questions of design that a policy answers before anything is measured: the human-centred section."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from audit_pipeline.policy.terms import Text
from audit_pipeline.strict_yaml import Strict

Fingerprint = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$"), Field(examples=["0" * 64])]


class WorstError(Strict):
    """The error that must not happen, named before the first measurement."""

    class_: Text | None = Field(
        default=None, alias="class", description="class that is confused; left out where the model estimates a number"
    )
    kind: Literal["missed", "false", "too_high", "too_low"] = Field(
        description="a missed alarm or a false one; for a number, an estimate that is too high or too low"
    )
    harms: Text = Field(description="who is harmed, and how")


class Responsible(Strict):
    """Who answers for which error: a named role each, the operator or the maker of the system."""

    false_alarm: Text = Field(description="role that answers for a false alarm, of the operator or the maker")
    missed_alarm: Text = Field(description="role that answers for a missed alarm, of the operator or the maker")


class Oversight(Strict):
    """How a person stays in control of the device."""

    who_can_stop: Text = Field(description="who can stop or override the device, and how")
    how_to_appeal: Text = Field(description="how somebody whom it affects can object, and who answers")


class Author(Strict):
    """Who wrote the policy, and answers for its limits."""

    role: Text = Field(description="a role in the organisation that somebody can be asked in, no name")
    key: Fingerprint | None = Field(
        default=None,
        description="fingerprint of the author's own key (`audit keys fingerprint`), which approves nothing",
    )


class HumanCentred(Strict):
    """Questions of design, asked before anything is measured; none may stay without an answer."""

    intended_use: Text
    affected: Annotated[tuple[Text, ...], Field(min_length=1, description="also those who never chose to be")]
    worst_error: WorstError
    responsible: Responsible
    oversight: Oversight
    never_record: Annotated[tuple[Text, ...], Field(min_length=1)] = Field(
        description="what no log, report or release may ever hold of a person",
        examples=[["names", "recordings of a patient"]],
    )
    author: Author = Field(
        description="who wrote this policy: a role, and the key by which they sign, if they do",
        examples=[{"role": "head of clinical safety"}],
    )


class EarlierAnswers(HumanCentred):
    """The section as runs may have it that were made before the last two of its questions were asked."""

    never_record: tuple[Text, ...] = ()
    author: Author = Author(role="not asked for by the version that made this run")
