"""What PostgreSQL's failures mean to the caller. Decided by SQLSTATE, never by a message: a
message may quote the data.
"""

from __future__ import annotations

import ssl

import asyncpg

from connectors.errors import BadAnswer, Rejected, SignInAgain, StoreError, TryLater, Unreachable

_AGAIN = ("40001", "40P01", "55P03", "57014")
"""Serialization failure, deadlock, lock time-out, statement time-out: nothing was applied."""

_GONE = ("3F000", "42P01", "42703")
"""A schema, table or column that was there is there no more."""

_RECORD = ("21", "22", "23", "44", "54", "P0")
"""Classes that a record's content causes: data, constraints, limits, somebody's trigger."""

_NUL = ("22021", "22P05")

_UNREACHABLE = ("08", "57P", "58")
_BUSY = ("53", "55", "25")
"""Out of connections, memory or disk; an object in use; read-only, as during a fail-over."""

DATABASE = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
)
"""Whatever comes out of asyncpg. `OSError` includes TLS errors and unknown hosts."""


def sqlstate(error: BaseException) -> str:
    """Five characters, or none where the failure did not come from the server."""
    return str(getattr(error, "sqlstate", None) or "")


def is_worth_repeating(error: BaseException) -> bool:
    """The transaction was rolled back for a reason that passes within a moment."""
    stale = (asyncpg.InvalidCachedStatementError, asyncpg.OutdatedSchemaCacheError)
    return sqlstate(error) in _AGAIN or isinstance(error, stale)


def is_missing_table(error: BaseException) -> bool:
    """The table is not as we left it; making it anew may help."""
    return sqlstate(error) in _GONE


def is_of_a_record(error: BaseException) -> bool:
    """One record of the batch is at fault, not the batch."""
    return sqlstate(error).startswith(_RECORD)


def is_of_nul(error: BaseException) -> bool:
    """A text holds a NUL character, which the database stores neither in text nor in jsonb."""
    return sqlstate(error) in _NUL


def is_answer(error: BaseException) -> bool:
    """The server itself said that it failed, so that the transaction is rolled back for sure."""
    state = sqlstate(error)
    return bool(state) and not state.startswith(_UNREACHABLE)


def refusal(error: BaseException) -> tuple[str, str]:
    """Code and sentence for a record that the database does not take."""
    state = sqlstate(error)
    where = getattr(error, "constraint_name", None) or getattr(error, "column_name", None)
    at = f" ({where})" if where else ""
    match state[:2]:
        case "23":
            return "constraint_violated", f"A constraint of the table refuses the record{at}."
        case "22":
            return "value_not_storable", "A value cannot be stored in its column."
        case "54":
            return "value_too_large", "A value is too large for its column or an index."
        case _:
            return "refused_by_database", f"The database refuses the record (SQLSTATE {state})."


def store_error(error: BaseException) -> StoreError:
    """Any other failure, as the caller should see it."""
    state = sqlstate(error)
    if isinstance(error, StoreError):
        return error
    if not state:
        return _without_state(error)
    if state in _AGAIN or state.startswith(_BUSY):
        return TryLater(f"The database is busy (SQLSTATE {state}).", after=5.0)
    if state.startswith(_UNREACHABLE):
        return Unreachable(f"The database ended the connection (SQLSTATE {state}).")
    return _lasting(state)


def _lasting(state: str) -> StoreError:
    if state.startswith("28") or state == "42501":
        return SignInAgain(_denied(state))
    if state == "3D000":
        return Rejected("The database does not exist.", code="database_unknown")
    text = f"The database refuses the statement (SQLSTATE {state})."
    return Rejected(text, code=f"postgres_{state.lower()}")


def _denied(state: str) -> str:
    if state == "42501":
        return "The user lacks a permission in this database."
    return "The database does not accept this user and password."


def _without_state(error: BaseException) -> StoreError:
    name = type(error).__name__
    if isinstance(error, ssl.SSLError):
        return Unreachable("The encrypted connection failed.", after=60.0, code="tls_failed")
    if isinstance(error, asyncpg.InterfaceError | OSError | TimeoutError):
        return Unreachable(f"The database could not be reached ({name}).")
    return BadAnswer(f"The answer is not PostgreSQL's ({name}).")
