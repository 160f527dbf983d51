"""How a command fails. The exit code tells a pipeline, the sentence tells a person.

CommandError
├── GateError          1  it ran, and the answer is no
├── UsageProblemError  2  wrong use or configuration
├── UnreachableError   3  the service, a server or a store cannot be reached
│   └── ProcessError      a child process does not stay up
├── TimedOutError      4  waited as long as was asked
└── LeftError        130  Ctrl-C ended the command, not the job that it was waiting for
"""

from __future__ import annotations

from typing import ClassVar


class CommandError(Exception):
    """The message is one sentence without secrets."""

    code: ClassVar[int] = 1


class GateError(CommandError):
    """The job or the comparison ended, but not well."""


class UsageProblemError(CommandError):
    """Something was asked for that cannot be, or a setting is missing."""

    code = 2


class UnreachableError(CommandError):
    """Nobody answers, or answers that it cannot work now."""

    code = 3


class TimedOutError(CommandError):
    """The time given was over before the end came."""

    code = 4


class LeftError(CommandError):
    """Somebody pressed Ctrl-C while a job went on."""

    code = 130
