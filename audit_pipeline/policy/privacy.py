"""The policy's `privacy` section: what no attacker may find out about the people a model was trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, StringConstraints, Tag, ValidationError, model_validator

from audit_pipeline.canonical import canonical_json, sha256_hex
from audit_pipeline.policy.recipe import Compress, Recipe
from audit_pipeline.policy.steps import Training
from audit_pipeline.policy.terms import OVERALL, GroupSpec, OpenProportion, Proportion, Text
from audit_pipeline.strict_yaml import Strict

FEWEST_SHADOWS = 4


class Release(Strict):
    """Another release of the same source model that an attacker may hold beside this one."""

    recipe: Recipe = Field(description="what it was made by: every shadow is compressed so as well")

    @model_validator(mode="after")
    def _can_be_made(self) -> Release:
        try:
            self.section(0)
        except ValidationError as error:
            raise ValueError(error.errors()[0]["msg"].removeprefix("Value error, ")) from error
        return self

    def section(self, seed: int) -> Compress:
        """What it is made by, as the policy's own `compress` section would say it."""
        return Compress(recipe=self.recipe, seed=seed)

    @property
    def techniques(self) -> str:
        """The steps of its recipe by name."""
        return ", ".join(name for step in self.recipe for name in type(step).model_fields)

    @property
    def digest(self) -> str:
        """Eight digits that tell its recipe from others."""
        return self.digest_of(self.model_dump(mode="json", exclude_none=True))

    @staticmethod
    def digest_of(release: Mapping[str, Any]) -> str:
        """The same of a release as a policy's document holds it."""
        return sha256_hex(canonical_json(release))[:8]


def _held(beside: Any) -> str:
    return "release" if isinstance(beside, dict | Release) else "float"


OtherVersion = Annotated[
    Annotated[Literal["float"], Tag("float")] | Annotated[Release, Tag("release")], Discriminator(_held)
]


class MembershipRule(Strict):
    """How often an attacker may recognise training rows or people at a fixed false-positive rate.

    Attackers: `losses` sees outputs and knows nothing else, and is weak. `shadows` has trained models of the same kind
    on people of its own choice: of its attacks and of both signals (outputs, and the logits that stand in the blob) the
    worst counts.
    """

    attack: Literal["membership"]
    attacker: Literal["losses", "shadows"] = "losses"
    unit: Literal["rows", "people"] = Field(
        default="rows", description="what is recognised: a row, or a person by all of their rows (shadows only)"
    )
    beside: OtherVersion | None = Field(
        default=None,
        description="what the attacker holds besides this release: the float model, or another release (shadows only); "
        "what one of them gives away alone is for a rule without it",
    )
    fpr: OpenProportion = 0.01
    max_tpr: Proportion
    groups: Annotated[tuple[GroupSpec, ...], Field(min_length=1)] = (OVERALL,)

    @model_validator(mode="after")
    def _is_possible(self) -> MembershipRule:
        if self.max_tpr < self.fpr:
            raise ValueError(f"max_tpr {self.max_tpr} is below fpr {self.fpr}: even a blind guess would exceed it")
        if self.attacker == "losses" and (self.unit != "rows" or self.beside is not None):
            raise ValueError("unit: people and beside need attacker: shadows")
        return self

    @property
    def other_version(self) -> str | None:
        """The other version that the attacker holds, in words that tell it from any other; None for none."""
        if isinstance(self.beside, Release):
            return f"another release ({self.beside.techniques}; recipe {self.beside.digest})"
        return None if self.beside is None else "the float model"


class DisparityRule(Strict):
    """How much more one group may be exposed than another (Kulynych et al. 2022), in TPR − FPR; needs shadows."""

    attack: Literal["disparity"]
    fpr: OpenProportion = 0.1
    max_gap: Proportion
    groups: Annotated[tuple[GroupSpec, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _compares(self) -> DisparityRule:
        if OVERALL in self.groups:
            raise ValueError("disparity compares groups with each other: overall is not a group to compare")
        return self


class AttributeRule(Strict):
    """How much better a group column may be guessed with the device's outputs than without, on training people."""

    attack: Literal["attribute"]
    column: GroupSpec = Field(description="the group column that is guessed, or several joined by *")
    max_gain: Proportion = Field(description="in balanced accuracy, above the same guess without the model")

    @model_validator(mode="after")
    def _guesses_something(self) -> AttributeRule:
        if self.column == OVERALL:
            raise ValueError("attribute inference guesses a group column, which overall is not")
        return self


class CanariesRule(Strict):
    """The least epsilon that one training run with planted rows proves (Steinke et al. 2023)."""

    attack: Literal["canaries"]
    record: Text = Field(description="file that `audit canaries` wrote when it planted them, relative to the policy")
    max_epsilon: Annotated[float, Field(gt=0, allow_inf_nan=False)]


class BlobScanRule(Strict):
    """How many finds of training rows, paths, hosts, e-mail addresses and secrets the blob may hold."""

    attack: Literal["blob_scan"]
    max_hits: Annotated[int, Field(ge=0)] = 0


PrivacyRule = Annotated[
    MembershipRule | DisparityRule | AttributeRule | CanariesRule | BlobScanRule, Field(discriminator="attack")
]

TrainingFunction = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$"),
    Field(examples=["train:shadow"]),
]
"""`module:function` of a module beside the policy."""


def _trained_by(training: Any) -> str:
    return "settings" if isinstance(training, dict | Training) else "function"


ShadowTraining = Annotated[
    Annotated[TrainingFunction, Tag("function")] | Annotated[Training, Tag("settings")], Discriminator(_trained_by)
]


class PrivacySection(Strict):
    """Rules, and how the attacker's shadow models are trained."""

    training: ShadowTraining | None = Field(
        default=None,
        description="how a shadow is trained, as the source was: by `module:function` beside the policy, which is run "
        "only with --allow-code, or the source's architecture from scratch with these settings",
    )
    shadows: Annotated[int, Field(ge=FEWEST_SHADOWS, le=256)] = Field(
        default=16, description="how many models the attacker trains, each on a random half of the people"
    )
    most_rows: Annotated[int, Field(ge=100)] = Field(
        default=20_000, description="rows of train and evaluation split that are attacked, drawn evenly over people"
    )
    seed: Annotated[int, Field(ge=0, lt=1 << 32)] = 0
    rules: Annotated[tuple[PrivacyRule, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _can_train(self) -> PrivacySection:
        if self.training is None and any(needs_shadows(rule) for rule in self.rules):
            raise ValueError("shadow models need training: module:function, or the settings the source was trained by")
        return self


def needs_shadows(rule: PrivacyRule) -> bool:
    """Whether a rule cannot be judged without shadow models."""
    return isinstance(rule, DisparityRule) or (isinstance(rule, MembershipRule) and rule.attacker == "shadows")


def _form(section: Any) -> str:
    return "section" if isinstance(section, dict | PrivacySection) else "rules"


def _without_shadows(rules: tuple[PrivacyRule, ...]) -> tuple[PrivacyRule, ...]:
    if any(map(needs_shadows, rules)):
        raise ValueError("shadow models need an object with training and rules, instead of a list")
    return rules


Privacy = Annotated[
    Annotated[tuple[PrivacyRule, ...], AfterValidator(_without_shadows), Tag("rules")]
    | Annotated[PrivacySection, Tag("section")],
    Discriminator(_form),
]
"""A list of rules, or, where shadow models are wanted, an object that has them under `rules`."""


def rules_of(document: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The privacy rules of a policy's document, in either form."""
    section = document.get("privacy") or ()
    found: Sequence[Mapping[str, Any]] = section["rules"] if isinstance(section, Mapping) else section
    return found
