"""Tables. PostgreSQL owns the truth about jobs, slices, cursors and links."""

from app.models.access import ApiKey, IdempotencyRecord
from app.models.adoption import AdoptionDecision, AdoptionRecord, AdoptionState, Side
from app.models.arrival import Arrival
from app.models.check import CheckResult, Verification, Waiver
from app.models.conflict import AppliedContent, Conflict, ConflictStatus, Decision
from app.models.job import Job, JobEvent, JobKind, JobStatus, Slice, SliceKind
from app.models.ledger import Link, LinkState, Quarantine, QuarantineStatus
from app.models.mapping import DEMO_SIZE, DemoRecord, MappingVersion
from app.models.migration import ConflictPolicy, Cursor, Migration
from app.models.redirect import CmsAddress, OldPath, PageAddress, PageSights
from app.models.removal import OPEN_REMOVAL, RecordRemoval, RemovalStatus, Sighting
from app.models.schedule import Overlap, Schedule, ScheduleRun, TickOutcome
from app.models.store import Store
from app.models.stream import AUDIT_RUNS, StreamState
from app.models.webhook import (
    DeliveryStatus,
    Webhook,
    WebhookDelivery,
    WebhookEvent,
    WebhookEventType,
    WebhookLag,
)

__all__ = [
    "AUDIT_RUNS",
    "DEMO_SIZE",
    "OPEN_REMOVAL",
    "AdoptionDecision",
    "AdoptionRecord",
    "AdoptionState",
    "ApiKey",
    "AppliedContent",
    "Arrival",
    "CheckResult",
    "CmsAddress",
    "Conflict",
    "ConflictPolicy",
    "ConflictStatus",
    "Cursor",
    "Decision",
    "DeliveryStatus",
    "DemoRecord",
    "IdempotencyRecord",
    "Job",
    "JobEvent",
    "JobKind",
    "JobStatus",
    "Link",
    "LinkState",
    "MappingVersion",
    "Migration",
    "OldPath",
    "Overlap",
    "PageAddress",
    "PageSights",
    "Quarantine",
    "QuarantineStatus",
    "RecordRemoval",
    "RemovalStatus",
    "Schedule",
    "ScheduleRun",
    "Side",
    "Sighting",
    "Slice",
    "SliceKind",
    "Store",
    "StreamState",
    "TickOutcome",
    "Verification",
    "Waiver",
    "Webhook",
    "WebhookDelivery",
    "WebhookEvent",
    "WebhookEventType",
    "WebhookLag",
]
