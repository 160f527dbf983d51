"""When a record in quarantine is tried again, and what it waits for.

Revision ID: 0005
Revises: 0004
Create Date: 2026-11-26 06:58:00.000000
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_OPEN = sa.text("status = 'open'")


def upgrade() -> None:
    op.add_column("quarantine", sa.Column("digest", sa.LargeBinary(), nullable=True))
    op.add_column("quarantine", sa.Column("next_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "quarantine",
        sa.Column(
            "waits_for", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
    )
    op.create_index(
        "quarantine_due",
        "quarantine",
        ["migration_id", "stream", "next_at"],
        postgresql_where=_OPEN,
    )
    op.create_index(
        "quarantine_waiting",
        "quarantine",
        ["waits_for"],
        postgresql_using="gin",
        postgresql_where=_OPEN,
    )
    # What is open already has no schedule: the next run takes it up, as it would have.
    op.execute("UPDATE quarantine SET next_at = now() WHERE status = 'open'")


def downgrade() -> None:
    op.drop_index("quarantine_waiting", table_name="quarantine")
    op.drop_index("quarantine_due", table_name="quarantine")
    op.drop_column("quarantine", "waits_for")
    op.drop_column("quarantine", "next_at")
    op.drop_column("quarantine", "digest")
