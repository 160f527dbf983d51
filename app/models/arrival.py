from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlmodel import Field, SQLModel

from app.models.columns import moment


class Arrival(SQLModel, table=True):
    """How many records of a stream were made at the source within an hour, which begins at `hour`.

    Counted when a record comes to the target for the first time, in the transaction that says so.
    A record that was there before us is not counted.
    """

    __tablename__ = "arrivals"

    migration_id: UUID = Field(primary_key=True, foreign_key="migrations.id", ondelete="CASCADE")
    stream: str = Field(primary_key=True)
    hour: datetime = Field(sa_column=moment(null=False, key=True))
    count: int
