"""Releases with their looks, gates, the audit trail and tokens."""

import sqlalchemy as sa
from alembic import op

revision = "v0001"
down_revision = None

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    _releases()
    _looks()
    _gates()
    _events()
    _tokens()
    compatibility = op.create_table("compatibility", sa.Column("oldest", sa.Text, nullable=False))
    op.bulk_insert(compatibility, [{"oldest": "v0001"}])


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=nullable)


def _number(name: str, *, nullable: bool = False) -> sa.Column[float]:
    return sa.Column(name, sa.Double, nullable=nullable)


def _whole(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=nullable)


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean, nullable=False)


def _id() -> sa.Column[int]:
    return sa.Column("id", _ID, autoincrement=True, nullable=False)


def _releases() -> None:
    identity = ("namespace", "service", "revision")
    op.create_table(
        "releases",
        _id(),
        *(_text(name) for name in identity),
        _whole("attempt"),
        _text("controller"),
        _number("started"),
        _text("arms"),
        _flag("experiment"),
        _text("parameters"),
        _text("version"),
        _number("last_asked"),
        _number("ask_gap"),
        _whole("step"),
        _text("step_label", nullable=True),
        _number("step_since"),
        _whole("advanced_block", nullable=True),
        _number("weight", nullable=True),
        _number("ended", nullable=True),
        _text("outcome", nullable=True),
        _text("verdict"),
        _text("sentence"),
        sa.PrimaryKeyConstraint("id", name="pk_releases"),
        sa.UniqueConstraint(*identity, "attempt", name="uq_releases_namespace_service_revision_attempt"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_releases_namespace_service_started", "releases", ["namespace", "service", "started"])
    op.create_index("ix_releases_ended", "releases", ["ended"])


def _looks() -> None:
    op.create_table(
        "looks",
        sa.Column("release_id", _ID, nullable=False),
        _whole("block"),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("release_id", "block", name="pk_looks"),
        sa.ForeignKeyConstraint(
            ["release_id"], ["releases.id"], name="fk_looks_release_id", ondelete="CASCADE"
        ),
    )


def _gates() -> None:
    key = ("namespace", "service", "hook", "revision")
    op.create_table(
        "gates",
        *(_text(name) for name in key),
        _flag("is_open"),
        _number("expires"),
        _text("by"),
        _number("at"),
        _text("note"),
        sa.PrimaryKeyConstraint(*key, name="pk_gates"),
    )


def _events() -> None:
    key = ("namespace", "service", "revision")
    op.create_table(
        "events",
        _id(),
        _number("at"),
        _text("kind"),
        *(_text(name) for name in key),
        _text("by"),
        _text("text"),
        _text("data"),
        sa.PrimaryKeyConstraint("id", name="pk_events"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_events_namespace_service_revision_id", "events", [*key, "id"])


def _tokens() -> None:
    op.create_table(
        "tokens",
        _text("name"),
        _text("digest"),
        _text("role"),
        _text("namespaces"),
        _flag("path"),
        _number("created"),
        _number("revoked", nullable=True),
        sa.PrimaryKeyConstraint("name", name="pk_tokens"),
        sa.UniqueConstraint("digest", name="uq_tokens_digest"),
    )
