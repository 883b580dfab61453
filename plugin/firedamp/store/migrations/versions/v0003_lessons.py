"""What was learnt of the checks' noise, and what a release knew of it at its first look."""

import sqlalchemy as sa
from alembic import op

revision = "v0003"
down_revision = "v0002"


def upgrade() -> None:
    # Older code goes on opening releases; its own have no noise.
    op.add_column("releases", sa.Column("noise", sa.Text, nullable=False, server_default=""))
    key = ("namespace", "service", "check", "release_id")
    op.create_table(
        "lessons",
        *(sa.Column(name, sa.Text, nullable=False) for name in key[:3]),
        sa.Column("release_id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), nullable=False),
        sa.Column("counts", sa.Text, nullable=False),
        *(
            sa.Column(name, sa.Double, nullable=False)
            for name in ("at", "phi_sum", "phi_weight", "tau_sum", "tau_weight")
        ),
        sa.PrimaryKeyConstraint(*key, name="pk_lessons"),
    )
