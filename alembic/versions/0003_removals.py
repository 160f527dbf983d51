"""Removals: what sweeps have seen, and what became of records that are gone.

Revision ID: 0003
Revises: 0002
Create Date: 2026-11-24 19:48:00.000000
"""

import sqlalchemy as sa
import sqlmodel
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_OPEN = sa.text("status IN ('proven', 'held', 'reported', 'failed')")


def upgrade() -> None:
    _text = sqlmodel.sql.sqltypes.AutoString
    _moment = sa.DateTime(timezone=True)
    _json = postgresql.JSONB(none_as_null=True, astext_type=sa.Text())
    op.create_table(
        "sightings",
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("stage", sa.Integer(), nullable=False),
        sa.Column("source_id", _text(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job_id", "stage", "source_id"),
    )
    op.create_table(
        "removals",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("migration_id", sa.Uuid(), nullable=False),
        sa.Column("stream", _text(), nullable=False),
        sa.Column("source_id", _text(), nullable=False),
        sa.Column("target_id", _text(), nullable=False),
        sa.Column("target_key", _text(), nullable=False),
        sa.Column("action", _text(), nullable=False),
        sa.Column("status", _text(), nullable=False),
        sa.Column("before", _json, nullable=True),
        sa.Column("evidence", _json, nullable=False),
        sa.Column("undoable", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("code", _text(), nullable=True),
        sa.Column("message", _text(), nullable=True),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("at", _moment, server_default=sa.text("now()"), nullable=False),
        sa.Column("undone_at", _moment, nullable=True),
        sa.Column("undone_by", _text(), nullable=True),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["migration_id"], ["migrations.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("removals_of_migration", "removals", ["migration_id", "at", "id"])
    op.create_index("removals_record", "removals", ["migration_id", "stream", "source_id"])
    op.create_index(
        "removals_open",
        "removals",
        ["migration_id", "stream", "source_id", "target_id"],
        unique=True,
        postgresql_where=_OPEN,
    )
    op.add_column(
        "links", sa.Column("missed", sa.Integer(), server_default=sa.text("0"), nullable=False)
    )
    op.add_column(
        "links", sa.Column("exempt", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    op.add_column(
        "links", sa.Column("generation", sa.Integer(), server_default=sa.text("0"), nullable=False)
    )
    op.add_column("links", sa.Column("removed_at", _moment, nullable=True))
    op.add_column(
        "slices", sa.Column("resumed", sa.Boolean(), server_default=sa.false(), nullable=False)
    )


def downgrade() -> None:
    op.drop_column("slices", "resumed")
    for name in ("removed_at", "generation", "exempt", "missed"):
        op.drop_column("links", name)
    op.drop_index("removals_open", table_name="removals", postgresql_where=_OPEN)
    op.drop_index("removals_record", table_name="removals")
    op.drop_index("removals_of_migration", table_name="removals")
    op.drop_table("removals")
    op.drop_table("sightings")
