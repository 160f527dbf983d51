"""Schedules with what became of their ticks; webhooks with their outbox.

Revision ID: 0014
Revises: 0013
Create Date: 2026-11-26 13:35:00.000000
"""

import sqlalchemy as sa
import sqlmodel
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_Text = sqlmodel.sql.sqltypes.AutoString


def _json() -> postgresql.JSONB:
    return postgresql.JSONB(none_as_null=True, astext_type=sa.Text())


def _moment(name: str, *, null: bool = True, filled: bool = False) -> sa.Column:
    default = sa.text("now()") if filled else None
    return sa.Column(name, sa.DateTime(timezone=True), nullable=null, server_default=default)


def _reference(column: str, table: str, ondelete: str = "CASCADE") -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{table}.id"], ondelete=ondelete)


def upgrade() -> None:
    _schedules()
    _webhooks()


def _schedules() -> None:
    op.create_table(
        "schedules",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("migration_id", sa.Uuid(), nullable=False),
        sa.Column("name", _Text(), nullable=False),
        sa.Column("job", _json(), nullable=False),
        sa.Column("cron", _Text(), nullable=True),
        sa.Column("timezone", _Text(), nullable=False),
        sa.Column("every", _Text(), nullable=True),
        sa.Column("starts_at", _Text(), nullable=True),
        sa.Column("until", _Text(), nullable=True),
        sa.Column("final_at", _Text(), nullable=True),
        sa.Column("overlap", _Text(), nullable=False),
        _moment("paused_at"),
        _moment("handled_until", null=False),
        _moment("created_at", null=False, filled=True),
        _moment("updated_at", null=False, filled=True),
        _reference("migration_id", "migrations"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("schedules_name", "schedules", ["migration_id", "name"], unique=True)
    op.create_table(
        "schedule_runs",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("schedule_id", sa.Uuid(), nullable=False),
        _moment("tick_at", null=False),
        sa.Column("final", sa.Boolean(), nullable=False),
        sa.Column("missed", sa.Integer(), nullable=False),
        sa.Column("outcome", _Text(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("reason", _Text(), nullable=True),
        sa.Column("message", _Text(), nullable=True),
        _moment("at", null=False, filled=True),
        _reference("schedule_id", "schedules"),
        _reference("job_id", "jobs", "SET NULL"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("schedule_id", "tick_at", name="schedule_runs_tick"),
    )
    op.create_index("schedule_runs_newest", "schedule_runs", ["schedule_id", "id"])


def _webhooks() -> None:
    op.create_table(
        "webhooks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("url", _Text(), nullable=False),
        sa.Column("description", _Text(), nullable=False),
        sa.Column("events", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("migration_id", sa.Uuid(), nullable=True),
        sa.Column("lag_seconds", sa.Integer(), nullable=True),
        sa.Column("secrets", sa.LargeBinary(), nullable=False),
        _moment("failing_since"),
        _moment("disabled_at"),
        sa.Column("disabled_reason", _Text(), nullable=True),
        _moment("created_at", null=False, filled=True),
        _moment("updated_at", null=False, filled=True),
        _reference("migration_id", "migrations"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_webhooks_migration_id", "webhooks", ["migration_id"])
    op.create_table(
        "webhook_events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("type", _Text(), nullable=False),
        sa.Column("migration_id", sa.Uuid(), nullable=True),
        sa.Column("once", _Text(), nullable=True),
        sa.Column("data", _json(), nullable=False),
        _moment("at", null=False, filled=True),
        _reference("migration_id", "migrations"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("once"),
    )
    op.create_index("ix_webhook_events_migration_id", "webhook_events", ["migration_id"])
    op.create_table(
        "webhook_deliveries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("webhook_id", sa.Uuid(), nullable=False),
        sa.Column("status", _Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        _moment("next_at", null=False, filled=True),
        _moment("lease_until"),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("log", _json(), nullable=False),
        _moment("delivered_at"),
        _moment("created_at", null=False, filled=True),
        _reference("event_id", "webhook_events"),
        _reference("webhook_id", "webhooks"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "webhook_deliveries_event", "webhook_deliveries", ["event_id", "webhook_id"], unique=True
    )
    op.create_index(
        "webhook_deliveries_due",
        "webhook_deliveries",
        ["webhook_id", "next_at"],
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.create_index(
        "webhook_deliveries_newest", "webhook_deliveries", ["webhook_id", "created_at", "id"]
    )
    op.create_table(
        "webhook_lags",
        sa.Column("webhook_id", sa.Uuid(), nullable=False),
        sa.Column("migration_id", sa.Uuid(), nullable=False),
        _moment("since", null=False, filled=True),
        _reference("webhook_id", "webhooks"),
        _reference("migration_id", "migrations"),
        sa.PrimaryKeyConstraint("webhook_id", "migration_id"),
    )


def downgrade() -> None:
    for table in (
        "webhook_lags",
        "webhook_deliveries",
        "webhook_events",
        "webhooks",
        "schedule_runs",
        "schedules",
    ):
        op.drop_table(table)
