"""Pages of the source shop that are no records.

Revision ID: 0018
Revises: 0017
Create Date: 2026-11-26 17:35:00.000000
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "cms_addresses",
        sa.Column("migration_id", sa.Uuid(), nullable=False),
        sa.Column("old_key", sa.String(), nullable=False),
        sa.Column("old_path", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("new_path", sa.String(), nullable=True),
        sa.Column("like_path", sa.String(), nullable=True),
        sa.Column(
            "seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.ForeignKeyConstraint(["migration_id"], ["migrations.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("migration_id", "old_key"),
    )


def downgrade() -> None:
    op.drop_table("cms_addresses")
