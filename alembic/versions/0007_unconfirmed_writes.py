"""When the last holder of a slice let go of it: until then it may have sent something.

Revision ID: 0007
Revises: 0006
Create Date: 2026-11-26 10:20:00.000000
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("slices", sa.Column("handed_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("slices", "handed_at")
