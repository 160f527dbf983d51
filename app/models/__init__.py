"""Tables. PostgreSQL owns the truth about jobs, slices, cursors and links."""

from app.models.access import ApiKey, IdempotencyRecord
from app.models.check import CheckResult, Verification, Waiver
from app.models.conflict import AppliedContent, Conflict, ConflictStatus, Decision
from app.models.job import Job, JobEvent, JobKind, JobStatus, Slice, SliceKind
from app.models.ledger import Link, LinkState, Quarantine, QuarantineStatus
from app.models.migration import ConflictPolicy, Cursor, Migration
from app.models.redirect import OldPath, PageAddress, PageSights
from app.models.removal import OPEN_REMOVAL, RecordRemoval, RemovalStatus, Sighting
from app.models.store import Store
from app.models.stream import AUDIT_RUNS, StreamState

__all__ = [
    "AUDIT_RUNS",
    "OPEN_REMOVAL",
    "ApiKey",
    "AppliedContent",
    "CheckResult",
    "Conflict",
    "ConflictPolicy",
    "ConflictStatus",
    "Cursor",
    "Decision",
    "IdempotencyRecord",
    "Job",
    "JobEvent",
    "JobKind",
    "JobStatus",
    "Link",
    "LinkState",
    "Migration",
    "OldPath",
    "PageAddress",
    "PageSights",
    "Quarantine",
    "QuarantineStatus",
    "RecordRemoval",
    "RemovalStatus",
    "Sighting",
    "Slice",
    "SliceKind",
    "Store",
    "StreamState",
    "Verification",
    "Waiver",
]
