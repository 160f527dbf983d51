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
    │        ConflictApplied, AdoptionApplied, AdoptionTaken, RemovalNotUndoable, ScheduleExists,
    │        StorefrontUnknown, RedirectsNotTaken, WebhookDisabled, StillInFlight, AnswerLost
    ├── 413  BodyTooLarge
    ├── 415  UnsupportedMediaType
    ├── 422  InvalidRequest ── BadCursor, InvalidAdoptionFile, UnknownPlatform,
    │        InvalidStoreSettings, UnknownStore, SameStore, StoreCannot, StreamNotInScope,
    │        KindNotAvailable, InvalidSince, InvalidWatermark, InvalidExpiry, InvalidSchedule,
    │        InvalidWebhook, IdempotencyKeyReused, InvalidTable
    ├── 500  InternalError
    ├── 502  StoreFailed
    ├── 503  DatabaseUnavailable, NotReady
    └── 504  StoreTooSlow

Nothing that a caller sent is repeated in an answer: it may be a secret.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

TYPE_PREFIX = "urn:recent-sync:problem:"


class Problem(Exception):
    """An answer other than the one hoped for, as problem details (RFC 9457).

    `errors` say where in the request something is wrong, `extra` are further members.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"
    title: ClassVar[str] = "Something went wrong on our side"

    def __init__(
        self,
        detail: str | None = None,
        *,
        errors: Sequence[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or f"{self.title}."
        self.errors = [dict(each) for each in errors]
        self.headers = dict(headers or {})
        self.extra = dict(extra or {})

    @classmethod
    def at(cls, pointer: str, detail: str) -> Problem:
        """The problem with one place in the body, given as a JSON pointer."""
        return cls(detail, errors=[{"pointer": pointer, "detail": detail}])


# --- 400 ---------------------------------------------------------------------------------------


class InvalidJson(Problem):
    status = 400
    code = "invalid_json"
    title = "The body is not JSON"


class InvalidEncoding(Problem):
    status = 400
    code = "invalid_encoding"
    title = "The body is not UTF-8"


class InvalidHttp(Problem):
    status = 400
    code = "invalid_http"
    title = "The request cannot be understood"


# --- 401, 403 ----------------------------------------------------------------------------------


class Unauthorized(Problem):
    status = 401
    code = "unauthorized"
    title = "No valid API key was given"


class KeyExpired(Unauthorized):
    code = "key_expired"
    title = "The API key has expired"


class MissingScope(Problem):
    status = 403
    code = "missing_scope"
    title = "The API key lacks a scope"


# --- 404, 405 ----------------------------------------------------------------------------------


class NotFound(Problem):
    status = 404
    code = "not_found"
    title = "There is nothing at this address"


class StoreNotFound(NotFound):
    code = "store_not_found"
    title = "There is no such store"


class MigrationNotFound(NotFound):
    code = "migration_not_found"
    title = "There is no such migration"


class JobNotFound(NotFound):
    code = "job_not_found"
    title = "There is no such job"


class ReportNotFound(NotFound):
    code = "report_not_found"
    title = "There is no report of this job"


class ApiKeyNotFound(NotFound):
    code = "api_key_not_found"
    title = "There is no such API key"


class QuarantineNotFound(NotFound):
    code = "quarantine_not_found"
    title = "There is no such record in quarantine"


class ConflictNotFound(NotFound):
    code = "conflict_not_found"
    title = "There is no such conflict"


class RemovalNotFound(NotFound):
    code = "removal_not_found"
    title = "There is no such removal"


class AdoptionNotFound(NotFound):
    code = "adoption_not_found"
    title = "No adoption has read such a record"


class ScheduleNotFound(NotFound):
    code = "schedule_not_found"
    title = "There is no such schedule"


class WaiverNotFound(NotFound):
    code = "waiver_not_found"
    title = "There is no such waiver"


class WebhookNotFound(NotFound):
    code = "webhook_not_found"
    title = "There is no such webhook"


class DeliveryNotFound(NotFound):
    code = "delivery_not_found"
    title = "There is no such delivery"


class MethodNotAllowed(Problem):
    status = 405
    code = "method_not_allowed"
    title = "This address does not take this method"


# --- 409 ---------------------------------------------------------------------------------------


class StoreExists(Problem):
    status = 409
    code = "store_exists"
    title = "A store of this name exists"


class StoreInUse(Problem):
    status = 409
    code = "store_in_use"
    title = "A migration uses this store"


class MigrationExists(Problem):
    status = 409
    code = "migration_exists"
    title = "A migration of this slug exists"


class StoresPaired(Problem):
    status = 409
    code = "stores_paired"
    title = "A migration between these two stores exists"


class JobRunning(Problem):
    status = 409
    code = "job_running"
    title = "A job of this migration has not ended"


class JobNotEnded(Problem):
    status = 409
    code = "job_not_ended"
    title = "The job has not ended"


class JobEnded(Problem):
    status = 409
    code = "job_ended"
    title = "The job has ended already"


class BaselineRequired(Problem):
    """A `recent` job needs to know from when: a cursor of every stream, or `since`."""

    status = 409
    code = "baseline_required"
    title = "There is no cursor to begin from"


class NothingToRetry(Problem):
    status = 409
    code = "nothing_to_retry"
    title = "No record in quarantine is open"


class QuarantineNotOpen(Problem):
    status = 409
    code = "quarantine_not_open"
    title = "The record is not in quarantine any more"


class NothingToApply(Problem):
    status = 409
    code = "nothing_to_apply"
    title = "No settled conflict waits for a job"


class ConflictApplied(Problem):
    """The source's value was chosen and written: what the target held is gone."""

    status = 409
    code = "conflict_applied"
    title = "The source's value is on the target already"


class AdoptionApplied(Problem):
    """A run of ours has compared the pair already, and may have written to it."""

    status = 409
    code = "adoption_applied"
    title = "A job has used this pair already"


class AdoptionTaken(Problem):
    """One of the two records is linked with another one."""

    status = 409
    code = "adoption_taken"
    title = "One of the records has another counterpart"


class RemovalNotUndoable(Problem):
    """Nothing was removed, or the platform cannot bring it back, or it came back by itself."""

    status = 409
    code = "removal_not_undoable"
    title = "The removal cannot be undone"


class ScheduleExists(Problem):
    status = 409
    code = "schedule_exists"
    title = "The migration has a schedule of this name"


class StorefrontUnknown(Problem):
    status = 409
    code = "storefront_unknown"
    title = "It is not known where the public pages of a store are"


class RedirectsNotTaken(Problem):
    status = 409
    code = "redirects_not_taken"
    title = "The target's platform takes no redirects"


class WebhookDisabled(Problem):
    status = 409
    code = "webhook_disabled"
    title = "The webhook is disabled"


class StillInFlight(Problem):
    status = 409
    code = "request_in_flight"
    title = "A request with this Idempotency-Key is still being answered"


class AnswerLost(Problem):
    """The kept answer to an `Idempotency-Key` cannot be decrypted: its key was taken away."""

    status = 409
    code = "answer_lost"
    title = "The request was answered before, and that answer cannot be read any more"


# --- 413, 415 ----------------------------------------------------------------------------------


class BodyTooLarge(Problem):
    status = 413
    code = "body_too_large"
    title = "The body is too large"


class UnsupportedMediaType(Problem):
    status = 415
    code = "unsupported_media_type"
    title = "The body has to be application/json"


# --- 422 ---------------------------------------------------------------------------------------


class InvalidRequest(Problem):
    status = 422
    code = "invalid_request"
    title = "The request is not valid"


class BadCursor(InvalidRequest):
    code = "bad_cursor"
    title = "The cursor is not one that a list of this kind gave"


class InvalidAdoptionFile(InvalidRequest):
    """Nothing of the file is taken: `errors` name lines and columns."""

    code = "invalid_adoption_file"
    title = "The file cannot be taken"


class UnknownPlatform(InvalidRequest):
    code = "unknown_platform"
    title = "No connector of this platform is installed"


class InvalidStoreSettings(InvalidRequest):
    code = "invalid_store_settings"
    title = "Settings or credentials do not fit the platform"


class UnknownStore(InvalidRequest):
    code = "unknown_store"
    title = "There is no store of this name or id"


class SameStore(InvalidRequest):
    code = "same_store"
    title = "Source and target are one store"


class StoreCannot(InvalidRequest):
    """A platform that cannot be read, cannot be written, or does not know a stream."""

    code = "store_cannot"
    title = "The platform cannot do what the migration needs"


class StreamNotInScope(InvalidRequest):
    code = "stream_not_in_scope"
    title = "The stream is not in the migration's scope"


class KindNotAvailable(InvalidRequest):
    code = "kind_not_available"
    title = "Jobs of this kind are not available"


class InvalidSince(InvalidRequest):
    code = "invalid_since"
    title = "This `since` cannot be used"


class InvalidWatermark(InvalidRequest):
    code = "invalid_watermark"
    title = "This watermark cannot be used"


class InvalidExpiry(InvalidRequest):
    code = "invalid_expiry"
    title = "This expiry cannot be used"


class InvalidSchedule(InvalidRequest):
    code = "invalid_schedule"
    title = "This schedule cannot be kept"


class InvalidWebhook(InvalidRequest):
    code = "invalid_webhook"
    title = "This webhook cannot be delivered to"


class IdempotencyKeyReused(InvalidRequest):
    code = "idempotency_key_reused"
    title = "The Idempotency-Key was used for another request"


# --- 500, 502, 503, 504 ------------------------------------------------------------------------
class InvalidTable(InvalidRequest):
    code = "invalid_table"
    title = "The table cannot be read"


# --- 500, 502, 503 -----------------------------------------------------------------------------


class InternalError(Problem):
    status = 500
    code = "internal_error"
    title = "Something went wrong on our side"


class StoreFailed(Problem):
    """A store did not do what it was asked for. `store` says which one, `store_code` why."""

    status = 502
    code = "store_failed"
    title = "A store could not be asked"


class DatabaseUnavailable(Problem):
    status = 503
    code = "database_unavailable"
    title = "The database cannot be used at the moment"


class NotReady(Problem):
    status = 503
    code = "not_ready"
    title = "The service is not ready"


class StoreTooSlow(Problem):
    status = 504
    code = "store_too_slow"
    title = "A store did not answer in time"
