"""
The tables as the newest code sees them; `migrations` makes them so.

A release is one row, a look one blob (`codec`) keyed by release and block, so that a block cannot be
judged twice. Ids only grow, also after old rows are pruned: pages and permalinks rely on it. Audit
rows are append-only, which triggers hold (migration v0002), and so are people's words (v0006).
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
)

from firedamp.store.columns import Exact, Names, Number, Prose, Texts

# Named constraints, or SQLite's batch migrations could not drop them.
metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite counts rows only in a column of type INTEGER.
_Id = BigInteger().with_variant(Integer, "sqlite")

releases = Table(
    "releases",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("namespace", Exact, nullable=False),
    Column("service", Exact, nullable=False),
    Column("revision", Exact, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("controller", Exact, nullable=False),
    Column("started", Number, nullable=False),
    Column("arms", Texts, nullable=False),
    Column("experiment", Boolean, nullable=False),
    Column("parameters", Exact, nullable=False),
    Column("version", Exact, nullable=False),
    Column("last_asked", Number, nullable=False),
    Column("ask_gap", Number, nullable=False),
    Column("step", Integer, nullable=False),
    Column("step_label", Exact),
    Column("step_since", Number, nullable=False),
    Column("advanced_block", Integer),
    Column("weight", Number),
    Column("ended", Number),
    Column("outcome", Prose),
    Column("verdict", Exact, nullable=False),
    Column("sentence", Prose, nullable=False),
    # Older code, which knows no such column, goes on opening releases.
    Column("noise", Exact, nullable=False, server_default=""),
    # Set with every change, by the database's own clock: those of replicas differ.
    Column("changed", Number, nullable=False, server_default="0"),
    UniqueConstraint("namespace", "service", "revision", "attempt"),
    Index(None, "namespace", "service", "started"),
    Index(None, "ended"),
    Index(None, "changed"),
    Index(None, "started"),
    Index(None, "verdict", "id"),
    Index(None, "controller", "id"),
    Index(None, "service", "id"),
    sqlite_autoincrement=True,
)

looks = Table(
    "looks",
    metadata,
    Column("release_id", _Id, ForeignKey(releases.c.id, ondelete="CASCADE"), nullable=False),
    Column("block", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    PrimaryKeyConstraint("release_id", "block"),
)

# One row per running release, replaced by later ones; its body is the judge's own affair.
snapshots = Table(
    "snapshots",
    metadata,
    Column("release_id", _Id, ForeignKey(releases.c.id, ondelete="CASCADE"), primary_key=True),
    Column("block", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

lessons = Table(
    "lessons",
    metadata,
    Column("namespace", Exact, nullable=False),
    Column("service", Exact, nullable=False),
    Column("check", Exact, nullable=False),
    # No foreign key: a lesson outlives its release, and history has none.
    Column("release_id", _Id, nullable=False),
    Column("counts", Exact, nullable=False),
    Column("at", Number, nullable=False),
    Column("phi_sum", Number, nullable=False),
    Column("phi_weight", Number, nullable=False),
    Column("tau_sum", Number, nullable=False),
    Column("tau_weight", Number, nullable=False),
    Column("events", Number, nullable=False, server_default="0"),
    Column("requests", Number, nullable=False, server_default="0"),
    PrimaryKeyConstraint("namespace", "service", "check", "release_id"),
)

# People's words: rows are added, never changed (migration v0006), and the newest of each kind counts.
rulings = Table(
    "rulings",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("release_id", _Id, ForeignKey(releases.c.id, ondelete="CASCADE"), nullable=False),
    Column("check", Exact, nullable=False),
    Column("word", Exact, nullable=False),
    Column("by", Prose, nullable=False),
    Column("at", Number, nullable=False),
    Column("note", Prose, nullable=False),
    Column("block", Integer, nullable=False),
    Column("said", Prose, nullable=False),
    Index(None, "release_id", "id"),
    sqlite_autoincrement=True,
)

labels = Table(
    "labels",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("release_id", _Id, ForeignKey(releases.c.id, ondelete="CASCADE"), nullable=False),
    Column("word", Exact, nullable=False),
    Column("by", Prose, nullable=False),
    Column("at", Number, nullable=False),
    Column("note", Prose, nullable=False),
    Index(None, "release_id", "id"),
    sqlite_autoincrement=True,
)

overrides = Table(
    "overrides",
    metadata,
    Column("namespace", Exact, nullable=False),
    Column("service", Exact, nullable=False),
    Column("version", Integer, nullable=False),
    Column("by", Prose, nullable=False),
    Column("at", Number, nullable=False),
    Column("note", Prose, nullable=False),
    Column("body", Exact, nullable=False),
    PrimaryKeyConstraint("namespace", "service", "version"),
)

gates = Table(
    "gates",
    metadata,
    Column("namespace", Exact, nullable=False),
    Column("service", Exact, nullable=False),
    Column("hook", Exact, nullable=False),
    Column("revision", Exact, nullable=False),
    Column("is_open", Boolean, nullable=False),
    Column("expires", Number, nullable=False),
    Column("by", Prose, nullable=False),
    Column("at", Number, nullable=False),
    Column("note", Prose, nullable=False),
    PrimaryKeyConstraint("namespace", "service", "hook", "revision"),
)

events = Table(
    "events",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("at", Number, nullable=False),
    Column("kind", Exact, nullable=False),
    Column("namespace", Exact, nullable=False),
    Column("service", Exact, nullable=False),
    Column("revision", Exact, nullable=False),
    Column("by", Prose, nullable=False),
    Column("text", Prose, nullable=False),
    Column("data", Texts, nullable=False),
    Index(None, "namespace", "service", "revision", "id"),
    sqlite_autoincrement=True,
)

tokens = Table(
    "tokens",
    metadata,
    Column("name", Exact, primary_key=True),
    Column("digest", Exact, nullable=False),
    Column("role", Exact, nullable=False),
    Column("namespaces", Names, nullable=False),
    Column("path", Boolean, nullable=False),
    Column("created", Number, nullable=False),
    Column("revoked", Number),
    UniqueConstraint("digest"),
)

# A browser that is signed in; its secret is not here.
sessions = Table(
    "sessions",
    metadata,
    Column("digest", Exact, primary_key=True),
    # Digest of the token that signed in: a rotated secret ends its sessions.
    Column("token", Exact, nullable=False),
    Column("began", Number, nullable=False),
    Column("expires", Number, nullable=False, index=True),
)
