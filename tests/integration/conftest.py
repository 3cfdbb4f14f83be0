"""One small world and two runs of it for the whole session: one sealed, one refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from people_world import policy_text
from small_world import CHEAP, MANIFEST, PASSPHRASE, POLICY, World, carry_out, train_model, write_split

from audit_pipeline.seal.keys.load import new_key
from audit_pipeline.ship import Shipped


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("world")
    rng = np.random.default_rng(11)
    write_split(folder / "train.npz", range(20), 40, rng)
    write_split(folder / "calibration.npz", range(20, 24), 40, rng)
    write_split(folder / "evaluation.npz", range(24, 48), 60, rng)
    (folder / "dataset.yaml").write_text(MANIFEST)
    (folder / "policy.yaml").write_text(POLICY)
    train_model(folder, folder / "model.h5")
    maker = new_key("ed25519", folder / "maker", PASSPHRASE, log2_n=CHEAP)
    device = new_key("x25519", folder / "device", PASSPHRASE, log2_n=CHEAP)
    return World(folder, folder / "model.h5", folder / "policy.yaml", maker.public, device.private)


@pytest.fixture(scope="session")
def sealed(world: World, tmp_path_factory: pytest.TempPathFactory) -> Shipped:
    return carry_out(world.request("sealed", tmp_path_factory.mktemp("sealed")))


@pytest.fixture(scope="session")
def refused(world: World, tmp_path_factory: pytest.TempPathFactory) -> Shipped:
    policy = world.folder / "impossible.yaml"
    policy.write_text(POLICY.replace("min: 0.6", "min: 0.9999").replace("max_drop: 0.2", "max_drop: 0.1"))
    request = world.request("refused", tmp_path_factory.mktemp("refused"))
    return carry_out(replace(request, policy=policy))


@pytest.fixture(scope="session")
def reviewed(world: World, tmp_path_factory: pytest.TempPathFactory) -> Shipped:
    """A PASS whose policy demands two approvals."""
    (world.folder / "reviewed.yaml").write_text(policy_text())
    request = world.request("reviewed", tmp_path_factory.mktemp("reviewed"))
    return carry_out(replace(request, policy=world.folder / "reviewed.yaml"))


@pytest.fixture(scope="session")
def too_hard(world: World, tmp_path_factory: pytest.TempPathFactory) -> Shipped:
    """A FAIL of one finding, by a policy that demands two approvals."""
    (world.folder / "too-hard.yaml").write_text(policy_text(floor="0.9999"))
    request = world.request("too-hard", tmp_path_factory.mktemp("too-hard"))
    return carry_out(replace(request, policy=world.folder / "too-hard.yaml"))
