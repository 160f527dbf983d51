"""What the API refuses, and how it says so: one small class with a status and a stable code each.

    Problem
    ├── 400  InvalidJson, InvalidEncoding, InvalidHttp
    ├── 401  Unauthorized ── KeyExpired
    ├── 403  MissingScope
    ├── 404  NotFound ── StoreNotFound, MigrationNotFound, JobNotFound, ReportNotFound,
    │        ApiKeyNotFound, QuarantineNotFound, ConflictNotFound, RemovalNotFound,
    │        AdoptionNotFound, ScheduleNotFound, WaiverNotFound, WebhookNotFound, DeliveryNotFound
    ├── 405  MethodNotAllowed
    ├── 409  StoreExists, StoreInUse, MigrationExists, StoresPaired, JobRunning, JobNotEnded,
    │        JobEnded, BaselineRequired, NothingToRetry, QuarantineNotOpen, NothingToApply,
    │        ConflictApplied, AdoptionApplied, AdoptionTaken, RemovalNotUndoable, CutoverRequired,
    │        ScheduleExists, StorefrontUnknown, RedirectsNotTaken, WebhookDisabled, StillInFlight,
    │        AnswerLost
    ├── 413  BodyTooLarge
    ├── 415  UnsupportedMediaType
    ├── 422  InvalidRequest ── BadCursor, InvalidAdoptionFile, UnknownPlatform,
    │        InvalidStoreSettings, UnknownStore, SameStore, StoreCannot, StreamNotInScope,
    │        KindNotAvailable, InvalidSince, InvalidWatermark, InvalidExpiry, InvalidSchedule,
    │        InvalidWebhook, IdempotencyKeyReused, InvalidTable, InvalidPlan
    ├── 500  InternalError
    ├── 502  StoreFailed
    ├── 503  DatabaseUnavailable, NotReady
    └── 504  StoreTooSlow

They stand in modules by what they are about; whoever raises one takes it from here. Nothing that a
caller sent is repeated in an answer: it may be a secret.
"""

from app.errors.access import ApiKeyNotFound, InvalidExpiry, KeyExpired, MissingScope, Unauthorized
from app.errors.jobs import (
    BaselineRequired,
    CutoverRequired,
    InvalidSince,
    InvalidWatermark,
    JobEnded,
    JobNotEnded,
    JobNotFound,
    JobRunning,
    KindNotAvailable,
    ReportNotFound,
)
from app.errors.migrations import (
    InvalidPlan,
    MigrationExists,
    MigrationNotFound,
    SameStore,
    StoresPaired,
    StreamNotInScope,
    WaiverNotFound,
)
from app.errors.problem import TYPE_PREFIX, Problem
from app.errors.records import (
    AdoptionApplied,
    AdoptionNotFound,
    AdoptionTaken,
    ConflictApplied,
    ConflictNotFound,
    InvalidAdoptionFile,
    NothingToApply,
    NothingToRetry,
    QuarantineNotFound,
    QuarantineNotOpen,
    RemovalNotFound,
    RemovalNotUndoable,
)
from app.errors.redirects import InvalidTable, RedirectsNotTaken, StorefrontUnknown
from app.errors.requests import (
    AnswerLost,
    BadCursor,
    BodyTooLarge,
    IdempotencyKeyReused,
    InvalidEncoding,
    InvalidHttp,
    InvalidJson,
    InvalidRequest,
    MethodNotAllowed,
    NotFound,
    StillInFlight,
    UnsupportedMediaType,
)
from app.errors.schedules import InvalidSchedule, ScheduleExists, ScheduleNotFound
from app.errors.service import DatabaseUnavailable, InternalError, NotReady
from app.errors.stores import (
    InvalidStoreSettings,
    StoreCannot,
    StoreExists,
    StoreFailed,
    StoreInUse,
    StoreNotFound,
    StoreTooSlow,
    UnknownPlatform,
    UnknownStore,
)
from app.errors.webhooks import DeliveryNotFound, InvalidWebhook, WebhookDisabled, WebhookNotFound

__all__ = [
    "TYPE_PREFIX",
    "AdoptionApplied",
    "AdoptionNotFound",
    "AdoptionTaken",
    "AnswerLost",
    "ApiKeyNotFound",
    "BadCursor",
    "BaselineRequired",
    "BodyTooLarge",
    "ConflictApplied",
    "ConflictNotFound",
    "CutoverRequired",
    "DatabaseUnavailable",
    "DeliveryNotFound",
    "IdempotencyKeyReused",
    "InternalError",
    "InvalidAdoptionFile",
    "InvalidEncoding",
    "InvalidExpiry",
    "InvalidHttp",
    "InvalidJson",
    "InvalidPlan",
    "InvalidRequest",
    "InvalidSchedule",
    "InvalidSince",
    "InvalidStoreSettings",
    "InvalidTable",
    "InvalidWatermark",
    "InvalidWebhook",
    "JobEnded",
    "JobNotEnded",
    "JobNotFound",
    "JobRunning",
    "KeyExpired",
    "KindNotAvailable",
    "MethodNotAllowed",
    "MigrationExists",
    "MigrationNotFound",
    "MissingScope",
    "NotFound",
    "NotReady",
    "NothingToApply",
    "NothingToRetry",
    "Problem",
    "QuarantineNotFound",
    "QuarantineNotOpen",
    "RedirectsNotTaken",
    "RemovalNotFound",
    "RemovalNotUndoable",
    "ReportNotFound",
    "SameStore",
    "ScheduleExists",
    "ScheduleNotFound",
    "StillInFlight",
    "StoreCannot",
    "StoreExists",
    "StoreFailed",
    "StoreInUse",
    "StoreNotFound",
    "StoreTooSlow",
    "StorefrontUnknown",
    "StoresPaired",
    "StreamNotInScope",
    "Unauthorized",
    "UnknownPlatform",
    "UnknownStore",
    "UnsupportedMediaType",
    "WaiverNotFound",
    "WebhookDisabled",
    "WebhookNotFound",
]
