"""What a policy's attacker will be given, in words, before any of it is made."""

from __future__ import annotations

from audit_pipeline.policy.privacy import PrivacyRule, PrivacySection, needs_shadows
from audit_pipeline.report.techniques import settings_in_words


def attacker_in_words(privacy: tuple[PrivacyRule, ...] | PrivacySection, *, allow_code: bool) -> dict[str, list[str]]:
    """How many shadow models are to be trained and from what; nothing where no rule needs one.

    Args:
        privacy: the policy's section.
        allow_code: whether the training function that it may name would be run.
    """
    if not isinstance(privacy, PrivacySection) or not any(map(needs_shadows, privacy.rules)):
        return {}
    lines = [f"{privacy.shadows} models, each trained on a random half of the people and compressed as the candidate"]
    if isinstance(privacy.training, str):
        lines.append(f"trained by {privacy.training} beside the policy")
        if not allow_code:
            lines.append("this code is not run without --allow-code, which is missing")
    elif privacy.training is not None:
        said = ", ".join(settings_in_words("fine_tune", privacy.training.model_dump(mode="json")))
        lines.append(f"the source's architecture from fresh weights: {said}")
    lines.append(f"at most {privacy.most_rows:,} rows attacked, seed {privacy.seed}")
    return {"shadows": lines}
