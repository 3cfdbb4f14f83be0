"""The way from a refusal to a release and its withdrawal, in a trail that a PostgreSQL server keeps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from people_world import Case
from small_world import World, carry_out

from audit_pipeline.errors import InputError
from audit_pipeline.measurement import Outcome
from audit_pipeline.ship import Shipped
from audit_pipeline.trail.log import Trail
from audit_pipeline.trail.log_trust import LogTrust
from audit_pipeline.trail.note_key import NoteKey
from audit_pipeline.trail.place import Place
from benchmarks.postgres_server import NoServerError, server


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    try:
        with server(durable=False) as running:
            running.query("CREATE DATABASE trail ENCODING 'UTF8' TEMPLATE template0")
            yield Place(running.url("trail"), tmp_path_factory.mktemp("log") / "log.key")
    except NoServerError as reason:
        pytest.skip(f"no PostgreSQL: {reason}")


def test_a_refusal_is_released_under_waivers_and_withdrawn(
    place: Place, world: World, too_hard: Shipped, tmp_path: Path
) -> None:
    policy = world.folder / "too-hard.yaml"
    refused = carry_out(replace(world.request("refused", tmp_path), policy=policy, trail=place))
    case = Case(world, refused, tmp_path, policy, place)
    assert case.gate().evidence.verdict.outcome is Outcome.FAIL
    case.waive()
    released = case.release()
    assert case.refusal(released.folder) == "gate.unapproved"
    case.approve_all(released)
    with Trail.open(place, create=False) as trail:
        identity = trail.log()
    assert identity is not None
    case.gate(released.folder, log=LogTrust(NoteKey.parse(identity.vkey)))
    with pytest.raises(InputError) as caught:
        case.release("again")
    assert caught.value.code == "seal.counter-not-risen"
    case.revoke(released)
    assert case.refusal(released.folder) == "gate.revoked"
