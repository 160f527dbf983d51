"""Single records: in quarantine, in conflict, adopted, removed."""

from __future__ import annotations

from app.errors.problem import Problem
from app.errors.requests import InvalidRequest, NotFound


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


class InvalidAdoptionFile(InvalidRequest):
    """Nothing of the file is taken: `errors` name lines and columns."""

    code = "invalid_adoption_file"
    title = "The file cannot be taken"
