"""Conflicts, and what a merge needs to know.

Revision ID: 0002
Revises: 0001
Create Date: 2026-11-24 19:52:10.118264
"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("links", sa.Column("target_fields", sa.LargeBinary(), nullable=True))
    op.add_column("links", sa.Column("parts", sa.LargeBinary(), nullable=True))
    op.add_column("links", sa.Column("sent", sa.LargeBinary(), nullable=True))
    op.create_table(
        "contents",
        sa.Column("migration_id", sa.Uuid(), nullable=False),
        sa.Column("stream", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("source_id", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["migration_id"], ["migrations.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("migration_id", "stream", "source_id"),
    )
    op.create_table(
        "conflicts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("migration_id", sa.Uuid(), nullable=False),
        sa.Column("stream", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("source_id", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("target_id", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("field", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("status", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("decision", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("settled_by", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("base_known", sa.Boolean(), nullable=False),
        sa.Column("source_digest", sa.LargeBinary(), nullable=False),
        sa.Column("target_digest", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column(
            "first_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column(
            "last_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["migration_id"], ["migrations.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "conflicts_field",
        "conflicts",
        ["migration_id", "stream", "source_id", "field"],
        unique=True,
    )
    op.create_index("conflicts_oldest", "conflicts", ["migration_id", "first_at", "id"])
    op.create_index(
        "conflicts_waiting",
        "conflicts",
        ["migration_id", "stream", "source_id"],
        postgresql_where=sa.text("decision = 'source' AND applied_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_index(
        "conflicts_waiting",
        table_name="conflicts",
        postgresql_where=sa.text("decision = 'source' AND applied_at IS NULL"),
    )
    op.drop_index("conflicts_oldest", table_name="conflicts")
    op.drop_index("conflicts_field", table_name="conflicts")
    op.drop_table("conflicts")
    op.drop_table("contents")
    op.drop_column("links", "sent")
    op.drop_column("links", "parts")
    op.drop_column("links", "target_fields")
