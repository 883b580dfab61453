"""People's words, append-only: rulings and labels of releases, and tuned settings of services."""

import sqlalchemy as sa
from alembic import op

revision = "v0006"
down_revision = "v0005"

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_TABLES = ("rulings", "labels", "overrides")


def upgrade() -> None:
    # Older code, which knows no such tables, prunes releases; the keys take people's words along.
    _of_releases("rulings", _text("check"), _text("word"), *_spoken(), _whole("block"), _text("said"))
    _of_releases("labels", _text("word"), *_spoken())
    key = ("namespace", "service", "version")
    op.create_table(
        "overrides",
        _text("namespace"),
        _text("service"),
        _whole("version"),
        *_spoken(),
        _text("body"),
        sa.PrimaryKeyConstraint(*key, name="pk_overrides"),
    )
    if op.get_bind().dialect.name == "postgresql":
        _postgresql()
    else:
        _sqlite()


def _of_releases(table: str, *columns: sa.Column[str] | sa.Column[float] | sa.Column[int]) -> None:
    op.create_table(
        table,
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("release_id", _ID, nullable=False),
        *columns,
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
        sa.ForeignKeyConstraint(
            ["release_id"], ["releases.id"], name=f"fk_{table}_release_id", ondelete="CASCADE"
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(f"ix_{table}_release_id_id", table, ["release_id", "id"])


def _spoken() -> tuple[sa.Column[str] | sa.Column[float], ...]:
    return _text("by"), sa.Column("at", sa.Double, nullable=False), _text("note")


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def _whole(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False)


def _postgresql() -> None:
    op.execute(
        "CREATE FUNCTION refuse_change_of_words() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'what people said is append-only'; END $$"
    )
    for table in _TABLES:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_words()"
        )


def _sqlite() -> None:
    for table in _TABLES:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE ON {table} "
            "BEGIN SELECT RAISE(ABORT, 'what people said is append-only'); END"
        )
