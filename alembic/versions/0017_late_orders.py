"""When a record was first brought over; links from before do not tell.

Revision ID: 0017
Revises: 0016
Create Date: 2026-11-26 16:36:00.000000
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # In two steps: a default that comes with the column would date every link that is there.
    op.add_column("links", sa.Column("linked_at", sa.DateTime(timezone=True), nullable=True))
    op.alter_column("links", "linked_at", server_default=sa.text("now()"))


def downgrade() -> None:
    op.drop_column("links", "linked_at")
