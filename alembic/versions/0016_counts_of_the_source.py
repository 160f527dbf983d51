"""How many records the source held when a verification began.

Revision ID: 0016
Revises: 0015
Create Date: 2026-11-26 16:45:00.000000
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "verifications",
        sa.Column(
            "counts", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
    )
    op.alter_column("verifications", "counts", server_default=None)


def downgrade() -> None:
    op.drop_column("verifications", "counts")
