"""Run by Alembic: migrates inside the transaction that `schema.upgrade` has already begun."""

from __future__ import annotations

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
context.run_migrations()
