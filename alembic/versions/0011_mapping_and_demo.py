"""Mapping rules in versions, and what a demo found.

Revision ID: 0011
Revises: 0007
Create Date: 2026-11-26 13:40:00.000000
"""

import sqlalchemy as sa
import sqlmodel
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def _document() -> postgresql.JSONB:
    return postgresql.JSONB(none_as_null=True, astext_type=sa.Text())


def _text() -> sqlmodel.sql.sqltypes.AutoString:
    return sqlmodel.sql.sqltypes.AutoString()


def upgrade() -> None:
    op.create_table(
        "mapping_versions",
        sa.Column("migration_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("rules", _document(), nullable=False),
        sa.Column("author", _text(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(["migration_id"], ["migrations.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("migration_id", "version"),
    )
    op.add_column("jobs", sa.Column("mapping_version", sa.Integer(), nullable=True))
    op.create_table(
        "demo_records",
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("stream", _text(), nullable=False),
        sa.Column("source_id", _text(), nullable=False),
        sa.Column("reasons", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.Column("finding", _document(), nullable=True),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job_id", "stream", "source_id"),
    )


def downgrade() -> None:
    op.drop_table("demo_records")
    op.drop_column("jobs", "mapping_version")
    op.drop_table("mapping_versions")
