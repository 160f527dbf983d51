"""Why a worker puts a slice down before it is done.

SliceStopped
├── LeaseLost  somebody else may hold the slice: touch nothing more
├── GiveBack   there is something to wait for: come again after `after` seconds
└── Ending     the job was cancelled or has failed elsewhere
JobFailed      the job as a whole cannot go on
"""

from __future__ import annotations


class SliceStopped(Exception):
    """The slice is put down; its progress is committed."""


class LeaseLost(SliceStopped):
    """The lease lapsed or another worker has a newer fence."""


class GiveBack(SliceStopped):
    """Come again after `after` seconds. `reason` is a stable word for status and logs."""

    def __init__(self, reason: str, *, after: float) -> None:
        super().__init__(reason)
        self.reason = reason
        self.after = after


class Ending(SliceStopped):
    """Someone asked the job to stop."""


class JobFailed(Exception):
    """Nothing more can be done. `code` is stable, `message` one sentence for a person."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
