"""Where records' pages are on both shops, visits of old paths, and redirects that were pushed.

Revision ID: 0010
Revises: 0008
Create Date: 2026-11-26 13:40:00.000000
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "page_addresses",
        sa.Column("migration_id", sa.Uuid(), nullable=False),
        sa.Column("stream", sa.String(), nullable=False),
        sa.Column("source_id", sa.String(), nullable=False),
        sa.Column("target_id", sa.String(), nullable=True),
        sa.Column("old_path", sa.String(), nullable=False),
        sa.Column("old_key", sa.String(), nullable=False),
        sa.Column("new_path", sa.String(), nullable=True),
        sa.Column(
            "seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.ForeignKeyConstraint(["migration_id"], ["migrations.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("migration_id", "stream", "source_id"),
    )
    op.create_index("page_addresses_by_path", "page_addresses", ["migration_id", "old_key"])
    op.create_table(
        "old_paths",
        sa.Column("migration_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("visits", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("target", sa.String(), nullable=True),
        sa.Column("pushed", sa.String(), nullable=True),
        sa.Column("pushed_target", sa.String(), nullable=True),
        sa.Column("push_code", sa.String(), nullable=True),
        sa.Column("pushed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["migration_id"], ["migrations.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("migration_id", "key"),
    )
    op.create_table(
        "page_sights",
        sa.Column("migration_id", sa.Uuid(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("seen", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["migration_id"], ["migrations.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("migration_id"),
    )
    op.create_index(op.f("ix_page_sights_job_id"), "page_sights", ["job_id"])


def downgrade() -> None:
    op.drop_table("page_sights")
    op.drop_table("old_paths")
    op.drop_table("page_addresses")
