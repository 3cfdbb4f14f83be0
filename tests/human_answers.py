"""The answers of design that every policy has to give, where a test is about something else."""

from __future__ import annotations


def human_centred(worst: str) -> str:
    """The section of a policy whose worst error is to miss this class."""
    return f"""\
human_centred:
  intended_use: "a test"
  affected: ["nobody"]
  worst_error: {{class: {worst}, kind: missed, harms: "nobody"}}
  responsible: {{false_alarm: "the maker", missed_alarm: "the operator"}}
  oversight: {{who_can_stop: "the tester", how_to_appeal: "open an issue"}}
  never_record: ["names"]
  author: {{role: "the tester"}}
"""
