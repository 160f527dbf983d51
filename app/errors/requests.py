"""Requests that cannot be taken as they are, whatever they ask for."""

from __future__ import annotations

from app.errors.problem import Problem


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


class NotFound(Problem):
    status = 404
    code = "not_found"
    title = "There is nothing at this address"


class MethodNotAllowed(Problem):
    status = 405
    code = "method_not_allowed"
    title = "This address does not take this method"


class BodyTooLarge(Problem):
    status = 413
    code = "body_too_large"
    title = "The body is too large"


class UnsupportedMediaType(Problem):
    status = 415
    code = "unsupported_media_type"
    title = "The body has to be application/json"


class InvalidRequest(Problem):
    status = 422
    code = "invalid_request"
    title = "The request is not valid"


class BadCursor(InvalidRequest):
    code = "bad_cursor"
    title = "The cursor is not one that a list of this kind gave"


class IdempotencyKeyReused(InvalidRequest):
    code = "idempotency_key_reused"
    title = "The Idempotency-Key was used for another request"


class StillInFlight(Problem):
    status = 409
    code = "request_in_flight"
    title = "A request with this Idempotency-Key is still being answered"


class AnswerLost(Problem):
    """The kept answer to an `Idempotency-Key` cannot be decrypted: its key was taken away."""

    status = 409
    code = "answer_lost"
    title = "The request was answered before, and that answer cannot be read any more"
