"""The policy as strict, frozen models: the authority behind `policies/policy.schema.json`.

A key that is accepted and then ignored would be a promise nobody keeps, so the models know only what this version
enforces; everything else is refused by name.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field, JsonValue, StringConstraints, model_validator

from audit_pipeline.measurement import Scale
from audit_pipeline.policy.catalogue import BETWEEN_GROUPS, METRICS, MetricName, Speaks
from audit_pipeline.policy.human_centred import EarlierAnswers, HumanCentred
from audit_pipeline.policy.privacy import Privacy, PrivacyRule, PrivacySection
from audit_pipeline.policy.recipe import Compress
from audit_pipeline.policy.terms import OVERALL, GroupSpec, Text, given
from audit_pipeline.strict_yaml import Strict

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$"), Field(examples=["wearable-ecg"])]
Approvers = Annotated[int, Field(ge=1, le=100)]
Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class DataSection(Strict):
    """Where the data set is."""

    manifest: Text = Field(description="dataset manifest, relative to the policy file")
    lawful_basis_required: bool = Field(
        default=False, description="whether data are refused whose manifest names no lawful basis"
    )


class Target(Strict):
    """The device: a known board, or its limits in KiB; limits given beside a board override that board's."""

    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [
                given("board", "string"),
                {"allOf": [given("flash_kib", "integer"), given("ram_kib", "integer")]},
            ]
        }
    )

    board: Name | None = Field(default=None, description="board profile, see `audit schema boards`")
    flash_kib: Annotated[int, Field(gt=0, le=1 << 20)] | None = Field(default=None, description="flash for the model")
    ram_kib: Annotated[int, Field(gt=0, le=1 << 20)] | None = Field(
        default=None, description="RAM for the tensor arena"
    )

    @model_validator(mode="after")
    def _names_a_device(self) -> Target:
        if self.board is None and (self.flash_kib is None or self.ram_kib is None):
            raise ValueError("give a board, or both flash_kib and ram_kib")
        return self


_SHARES: list[JsonValue] = [kind.name for kind in METRICS.values() if kind.scale is Scale.SHARE]
LIMITS = ("min", "max", "max_drop", "max_rise", "max_gap")
"""The kinds of limit, of which a rule has one; all but `min` are looser where they are higher."""


class FairnessRule(Strict):
    """One metric, one limit, the groups it must hold in.

    `max_drop` and `max_rise` compare the device with the float model on the same rows; `max_gap` compares every pair
    of groups on the device; `min` and `max` bound the device's own value.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [given(key, "number") for key in LIMITS],
            "if": {"properties": {"metric": {"enum": _SHARES}}},
            "then": {"properties": {key: {"maximum": 1} for key in LIMITS}},
        }
    )

    metric: MetricName
    class_: Text | None = Field(
        default=None, alias="class", description="the class; alarm rates without one use the manifest's alarm_classes"
    )
    min: Amount | None = Field(default=None, description="lowest value allowed")
    max: Amount | None = Field(default=None, description="highest value allowed, for rates of errors")
    max_drop: Amount | None = Field(default=None, description="largest loss against the float model allowed")
    max_rise: Amount | None = Field(default=None, description="largest rise allowed, for rates of errors")
    max_gap: Amount | None = Field(default=None, description="largest difference between two groups allowed")
    groups: Annotated[tuple[GroupSpec, ...], Field(min_length=1)] = (OVERALL,)

    @property
    def limit(self) -> tuple[str, float]:
        """The one limit that is set: its key and its value."""
        given = [(key, value) for key in LIMITS if (value := getattr(self, key)) is not None]
        return given[0]

    @property
    def compares_groups(self) -> bool:
        """Whether it asks one question of all groups of a column together."""
        return self.max_gap is not None or self.metric in BETWEEN_GROUPS

    @model_validator(mode="after")
    def _is_possible(self) -> FairnessRule:
        given = [key for key in LIMITS if getattr(self, key) is not None]
        if len(given) != 1:
            raise ValueError(f"give exactly one of {', '.join(LIMITS)}; found {', '.join(given) or 'none'}")
        kind, (key, value) = METRICS[self.metric], self.limit
        if key not in kind.limits:
            better = "higher" if kind.higher_is_better else "lower"
            fitting = " or ".join(limit for limit in kind.limits if limit != "max_gap")
            raise ValueError(f"{self.metric} is better when {better}: use {fitting} instead of {key}")
        if kind.scale is Scale.SHARE and value > 1:
            raise ValueError(f"{key} of {self.metric} lies between 0 and 1; found {value:g}")
        if kind.speaks is Speaks.ONE and self.class_ is None:
            raise ValueError(f"{self.metric} needs a class")
        if kind.speaks is Speaks.ALL and self.class_ is not None:
            raise ValueError(f"{self.metric} is over all classes: leave class out")
        if self.compares_groups and OVERALL in self.groups:
            what = "max_gap" if self.max_gap is not None else self.metric
            raise ValueError(f"{what} compares groups with each other: overall is not a group to compare")
        return self


class Statistics(Strict):
    """What the three-valued verdict needs to know."""

    confidence: Annotated[float, Field(ge=0.5, lt=1)] = 0.95
    min_group_size: Annotated[int, Field(ge=1)] = Field(
        default=30, description="rows behind a number below which it is INCONCLUSIVE whatever it is"
    )
    min_people: Annotated[int, Field(ge=1)] = Field(
        default=1,
        description="the same for people, where they are named; harm to one person in ten is in nobody of 8 people in "
        "43 % of samples, in nobody of 30 in 4 %",
    )


VersionText = Annotated[
    str, StringConstraints(pattern=r"^\d{1,3}\.\d{1,3}\.\d{1,5}(\+\d{1,9})?$"), Field(examples=["1.4.0", "1.4.0+7"])
]


def _without_pin(named: str) -> str:
    if _PIN.match(named):
        raise ValueError("a PIN does not belong in a policy, which is kept with every run: it is asked for")
    return named


_PIN = re.compile(r"pkcs11:(.*[;?&])?pin-(value|source)=", re.IGNORECASE | re.DOTALL)
SignerPlace = Annotated[Text, AfterValidator(_without_pin)]


class DependsOn(Strict):
    """Another image on the device, without which the bootloader does not start this one."""

    image: Annotated[int, Field(ge=0, lt=1 << 8)] = Field(description="its number in the bootloader")
    version: VersionText = Field(description="the least version of it that will do")


class Device(Strict):
    """The device that an image is for, as its bootloader knows it.

    Releases for one vendor and class stand in one line: of these the security counter rises. Where they are not given,
    the recipient's key stands for them.
    """

    model_config = ConfigDict(json_schema_extra={"dependentRequired": {"class": ["vendor"]}})

    vendor: Text | None = Field(
        default=None,
        description="domain name of the device's maker, in lower case; a UUID made of it goes into the image",
        examples=["wearables.example.com"],
    )
    class_: Text | None = Field(
        default=None,
        alias="class",
        description="the vendor's name for this kind of device; a UUID made of both goes into the image",
        examples=["wrist-2"],
    )
    aes: Literal[128, 256] = Field(default=128, description="bits of the image's key, as the bootloader was built for")
    slot_bytes: Annotated[int, Field(gt=0, lt=1 << 32)] | None = Field(
        default=None, description="flash of the image slot, which also holds MCUboot's trailer"
    )
    depends_on: DependsOn | None = None

    @model_validator(mode="after")
    def _class_has_a_vendor(self) -> Device:
        if self.class_ is not None and self.vendor is None:
            raise ValueError("a class needs the vendor whose name for the device it is")
        return self


class Seal(Strict):
    """How the image is signed and for which device it is encrypted. Key paths are relative to the policy file."""

    signer: SignerPlace = Field(
        description="private key that signs image and attestations, Ed25519 or P-256: a key file under a passphrase, "
        "or a `pkcs11:` URI (RFC 7512)"
    )
    recipient: Text = Field(description="public key of the device, X25519 or P-256, PEM")
    model_signer: SignerPlace | None = Field(
        default=None,
        description="P-256 private key for the OpenSSF signature beside the .tflite, given as `signer` is; not needed "
        "where the signer is P-256 itself",
    )
    security_counter: Annotated[int, Field(ge=0, lt=1 << 32)] = Field(
        description="must rise with every release for this device"
    )
    version: VersionText
    device: Device | None = None


class Policy(Strict):
    """A whole policy file."""

    version: Literal[1]
    name: Name
    human_centred: HumanCentred
    data: DataSection
    target: Target
    compress: Compress | None = Field(default=None, description="left out only where a finished .tflite is shipped")
    fairness: Annotated[tuple[FairnessRule, ...], Field(min_length=1)]
    privacy: Privacy = ()
    statistics: Statistics = Statistics()
    on_inconclusive: Literal["block"] = "block"
    approvals: Annotated[dict[Name, Approvers], Field(min_length=1)] | None = Field(
        default=None,
        description="how many people of which role must approve a release, each by a key of their own; roles are those "
        "of the trust file",
        examples=[{"clinical-safety": 1, "data-protection": 1}],
    )
    seal: Seal | None = Field(default=None, description="left out where nothing is to be sealed")

    @property
    def privacy_rules(self) -> tuple[PrivacyRule, ...]:
        """The rules of the privacy section, whichever form it has."""
        return self.privacy.rules if isinstance(self.privacy, PrivacySection) else self.privacy

    @property
    def privacy_place(self) -> tuple[str, ...]:
        """Where in the file they stand."""
        return ("privacy", "rules") if isinstance(self.privacy, PrivacySection) else ("privacy",)

    @model_validator(mode="after")
    def _author_is_no_approver(self) -> Policy:
        if self.approvals and self.human_centred.author.key is None:
            raise ValueError("approvals need human_centred.author.key: an author may not approve their own policy")
        return self


class RecordedPolicy(Policy):
    """The policy of a run that was made already: an older version asked fewer questions."""

    human_centred: EarlierAnswers
