"""The small world's model for devices of other kinds: their policies, keys and runs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from small_world import CHEAP, PASSPHRASE, POLICY, World, carry_out

from audit_pipeline.seal.keys.load import new_key
from audit_pipeline.ship import Request, Shipped

_CUT = POLICY.index("seal:")
DROP = "  - {metric: recall, class: alarm, max_drop: 0.2, groups: [overall, sex]}\n"
"""The one rule that needs the float model, and with it TensorFlow."""
WRIST = (
    "{vendor: wearables.example.com, class: wrist-2, aes: 256, slot_bytes: 131072, "
    "depends_on: {image: 1, version: 2.0.0}}"
)


@dataclass(frozen=True)
class Line:
    """Releases of one world into one trail, with a policy for each counter."""

    world: World
    folder: Path

    def policy(self, name: str, seal: str) -> Path:
        """A policy of the world with another seal section, without the rule that a finished model cannot keep."""
        path = self.world.folder / f"{name}.yaml"
        rules = POLICY[:_CUT].replace(DROP, "") if self.world.model.suffix == ".tflite" else POLICY[:_CUT]
        path.write_text(f"{rules}seal: {{{seal}}}\n")
        return path

    def request(
        self,
        run: str,
        counter: int,
        *,
        keys: str = "signer: maker.key.pem, recipient: device.pub.pem",
        device: str | None = None,
    ) -> Request:
        """A run with this counter."""
        seal = f"{keys}, security_counter: {counter}, version: 1.0.{counter}"
        policy = self.policy(run, f"{seal}, device: {device}" if device else seal)
        return replace(self.world.request(run, self.folder), policy=policy)

    def ship(self, run: str, counter: int, **settings: str) -> Shipped:
        """A run with this counter, carried out."""
        return carry_out(self.request(run, counter, **settings))


def wrist_keys(folder: Path) -> str:
    """The keys of a device that reads P-256 alone, made in the world's folder."""
    for name in ("wrist-maker", "wrist-device"):
        new_key("p256", folder / name, PASSPHRASE, log2_n=CHEAP)
    return "signer: wrist-maker.key.pem, recipient: wrist-device.pub.pem"
