"""Where a release's judgement stood after some block, so that a restart need not begin with the first."""

import sqlalchemy as sa
from alembic import op

revision = "v0005"
down_revision = "v0004"


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    # Older code, which knows no such table, prunes releases; the key takes their snapshots along.
    op.create_table(
        "snapshots",
        sa.Column("release_id", number, autoincrement=False, nullable=False),
        sa.Column("block", sa.Integer, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.ForeignKeyConstraint(
            ["release_id"], ["releases.id"], name="fk_snapshots_release_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("release_id", name="pk_snapshots"),
    )
