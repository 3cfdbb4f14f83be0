"""All attacks."""

from __future__ import annotations

from attack import Attack
from attacks_algorithms import ALGORITHMS
from attacks_encryption import ENCRYPTION
from attacks_envelope import ENVELOPE
from attacks_findings import FINDINGS
from attacks_framing import FRAMING
from attacks_keys import KEYS
from attacks_quorum import QUORUM
from attacks_runs import RUNS
from attacks_signature import SIGNATURE
from attacks_statement import STATEMENT
from attacks_stripping import STRIPPING
from attacks_tlvs import TLVS
from attacks_trail import TRAIL
from attacks_trust import TRUST
from attacks_waiver import WAIVERS

FAMILIES = (
    STRIPPING,
    ALGORITHMS,
    KEYS,
    SIGNATURE,
    TLVS,
    FRAMING,
    ENCRYPTION,
    RUNS,
    ENVELOPE,
    QUORUM,
    STATEMENT,
    WAIVERS,
    TRUST,
    TRAIL,
    FINDINGS,
)

ATTACKS: tuple[Attack, ...] = tuple(attack for family in FAMILIES for attack in family.attacks)
