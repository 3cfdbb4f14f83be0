"""`audit compress`: only the candidate and what it costs."""

from __future__ import annotations
