"""What an adoption found out about the records of both stores.

Revision ID: 0013
Revises: 0007
Create Date: 2026-11-26 13:40:00.000000
"""

import sqlalchemy as sa
import sqlmodel
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def _text(name: str, *, null: bool = False) -> sa.Column[str]:
    return sa.Column(name, sqlmodel.sql.sqltypes.AutoString(), nullable=null)


def _texts(name: str) -> sa.Column[list[str]]:
    return sa.Column(
        name, postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False
    )


def upgrade() -> None:
    op.create_table(
        "adoption_records",
        sa.Column("migration_id", sa.Uuid(), nullable=False),
        _text("stream"),
        _text("side"),
        _text("record_id"),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        _text("label"),
        _texts("key_kinds"),
        sa.Column(
            "key_values",
            postgresql.ARRAY(sa.LargeBinary()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column("form", sa.LargeBinary(), nullable=True),
        sa.Column("fields", sa.LargeBinary(), nullable=True),
        sa.Column("parts", sa.LargeBinary(), nullable=True),
        _text("state"),
        _text("other_id", null=True),
        _text("matched_by", null=True),
        sa.Column("confidence", sa.Float(), nullable=True),
        _texts("candidates"),
        _texts("differs"),
        _texts("declared"),
        _text("decision", null=True),
        _text("settled_by", null=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        _text("reason", null=True),
        sa.ForeignKeyConstraint(["migration_id"], ["migrations.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("migration_id", "stream", "side", "record_id"),
    )
    op.create_index("adoption_records_id", "adoption_records", ["id"], unique=True)
    op.create_index(
        "adoption_records_state",
        "adoption_records",
        ["migration_id", "state", "stream", "record_id"],
    )


def downgrade() -> None:
    op.drop_table("adoption_records")
