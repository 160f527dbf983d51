"""Jobs: when one can be asked for, and what it leaves."""

from __future__ import annotations

from app.errors.problem import Problem
from app.errors.requests import InvalidRequest, NotFound


class JobNotFound(NotFound):
    code = "job_not_found"
    title = "There is no such job"


class ReportNotFound(NotFound):
    code = "report_not_found"
    title = "There is no report of this job"


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


class CutoverRequired(Problem):
    """What counts from the cutover needs one that has ended."""

    status = 409
    code = "cutover_required"
    title = "No cutover of this migration has ended well"


class KindNotAvailable(InvalidRequest):
    code = "kind_not_available"
    title = "Jobs of this kind are not available"


class InvalidSince(InvalidRequest):
    code = "invalid_since"
    title = "This `since` cannot be used"


class InvalidWatermark(InvalidRequest):
    code = "invalid_watermark"
    title = "This watermark cannot be used"
