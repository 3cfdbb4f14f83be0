"""All rewrites."""

from __future__ import annotations

from rewrite import Rewrite
from rewrites_delete import DELETIONS
from rewrites_edit import EDITS
from rewrites_fork import FORKS
from rewrites_insert import INSERTIONS
from rewrites_partial import PARTIAL
from rewrites_reorder import ORDERS
from rewrites_restore import RESTORED

FAMILIES = (EDITS, DELETIONS, INSERTIONS, ORDERS, FORKS, RESTORED, PARTIAL)

REWRITES: tuple[Rewrite, ...] = tuple(rewrite for family in FAMILIES for rewrite in family.rewrites)
