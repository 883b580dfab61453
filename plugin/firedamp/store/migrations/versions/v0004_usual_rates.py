"""What was usual of the checks' events, beside their noise."""

import sqlalchemy as sa
from alembic import op

revision = "v0004"
down_revision = "v0003"


def upgrade() -> None:
    # Older code goes on telling lessons; of a rate they say nothing.
    for name in ("events", "requests"):
        op.add_column("lessons", sa.Column(name, sa.Double, nullable=False, server_default="0"))
