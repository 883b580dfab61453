"""
firedamp's memory: releases, looks with their evidence, gates, the audit trail and tokens.

One room for all SQL. SQLite is the default, PostgreSQL the choice for several replicas; both run
the same statements and the same tests. Text and numbers come back exactly as they went in, or are
refused; `columns` has the rules.
"""

from firedamp.store.migrations import migrate
from firedamp.store.sql import SqlStore, open_store

__all__ = ["SqlStore", "migrate", "open_store"]
