"""Which references a record was written without, and whether they can be mended.

Revision ID: 0006
Revises: 0005
Create Date: 2026-11-26 08:10:00.000000
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# Said in two ways: whoever looks for one reference must not be offered the index of all that lack
# any, which a planner without statistics would read whole for each reference.
_LACKING = sa.text("cardinality(lost_references) > 0")
_NAMED = sa.text("lost_references IS NOT NULL")


def upgrade() -> None:
    op.add_column("links", sa.Column("lost_references", postgresql.ARRAY(sa.Text()), nullable=True))
    op.add_column(
        "links", sa.Column("mendable", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    op.create_index(
        "links_lacking",
        "links",
        ["migration_id", "stream", "mendable", "source_id"],
        postgresql_where=_LACKING,
    )
    op.create_index(
        "links_lost_references",
        "links",
        ["lost_references"],
        postgresql_using="gin",
        postgresql_with={"fastupdate": "off"},
        postgresql_where=_NAMED,
    )


def downgrade() -> None:
    op.drop_index("links_lost_references", table_name="links")
    op.drop_index("links_lacking", table_name="links")
    op.drop_column("links", "mendable")
    op.drop_column("links", "lost_references")
