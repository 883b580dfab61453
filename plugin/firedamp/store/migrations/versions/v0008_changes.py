"""When a release last changed, by the database's clock, so that who watches need not read them all."""

import sqlalchemy as sa
from alembic import op

revision = "v0008"
down_revision = "v0007"


def upgrade() -> None:
    # Older code goes on writing releases without it; who watches hears of them with the next newer look.
    op.add_column("releases", sa.Column("changed", sa.Double, nullable=False, server_default="0"))
    op.create_index("ix_releases_changed", "releases", ["changed"])
    op.create_index("ix_releases_started", "releases", ["started"])
    for name in ("verdict", "controller", "service"):
        op.create_index(f"ix_releases_{name}_id", "releases", [name, "id"])
