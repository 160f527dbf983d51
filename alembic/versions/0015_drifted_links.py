"""Fields that were changed on the target where the source's values rule.

Revision ID: 0015
Revises: 0014
Create Date: 2026-11-26 16:40:00.000000
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("links", sa.Column("drifted", postgresql.ARRAY(sa.Text()), nullable=True))
    op.create_index(
        "links_drifted",
        "links",
        ["migration_id", "stream", "source_id"],
        postgresql_where=sa.text("drifted IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("links_drifted", table_name="links")
    op.drop_column("links", "drifted")
