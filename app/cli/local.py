"""The servers that commands on this machine work with: configured, or the service's own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from pydantic import SecretStr, ValidationError

from app.cli.failures import UnreachableError, UsageProblemError
from app.settings import Settings


def read_settings() -> Settings:
    """The settings from the environment. Raises `UsageProblemError` naming what is wrong."""
    try:
        return Settings()
    except ValidationError as error:
        # The values stay out of the message: a wrong URL may hold a password.
        wrong = "; ".join(
            f"RECENT_SYNC_{str(each['loc'][0]).upper()}: {each['msg']}"
            for each in error.errors(include_input=False)
        )
        raise UsageProblemError(f"The configuration is wrong: {wrong}.") from None


@contextmanager
def local_settings(*, needs_data_dir: bool = False) -> Iterator[Settings]:
    """Settings whose servers run: those configured, else our own for the length of the block."""
    settings = read_settings()
    urls = (settings.database_url, settings.redis_url)
    if all(urls):
        if needs_data_dir and settings.data_dir is None:
            settings = settings.model_copy(update={"data_dir": _default_data_dir()})
        yield settings
        return
    if any(urls):
        raise UsageProblemError(
            "Set both RECENT_SYNC_DATABASE_URL and RECENT_SYNC_REDIS_URL, or neither."
        )
    with own_servers(settings) as completed:
        yield completed


@contextmanager
def own_servers(settings: Settings, *, ephemeral: bool = False) -> Iterator[Settings]:
    """The settings with a PostgreSQL and a Valkey of our own, which run during the block.

    Ephemeral servers leave nothing behind; `data_dir` is then left to the caller.
    """
    # The servers are an extra: whoever configures their own has not installed them.
    from app.embedded import EmbeddedError, start  # noqa: PLC0415

    with ExitStack() as stack:
        try:
            servers = stack.enter_context(
                start(None if ephemeral else settings.data_dir, ephemeral=ephemeral)
            )
        except EmbeddedError as error:
            raise UsageProblemError(str(error)) from None
        found: dict[str, object] = {
            "database_url": SecretStr(servers.database_url),
            "redis_url": SecretStr(servers.redis_url),
        }
        if not ephemeral:
            found["data_dir"] = servers.data_dir
        yield settings.model_copy(update=found)


def environment(settings: Settings) -> dict[str, str]:
    """What child processes need in order to see the same settings."""
    passed = {}
    for name in ("database_url", "redis_url", "encryption_keys", "data_dir"):
        value = getattr(settings, name)
        if value is not None:
            text = value.get_secret_value() if isinstance(value, SecretStr) else str(value)
            passed[f"RECENT_SYNC_{name.upper()}"] = text
    return passed


def upgrade(settings: Settings) -> None:
    """Bring the tables up to date. Raises `UnreachableError` where the database is away."""
    from app.database import upgrade as upgrade_tables  # noqa: PLC0415  slow to import

    with database_errors():
        upgrade_tables(database_url(settings))


def database_url(settings: Settings) -> str:
    """The database's address, checked for its form."""
    from app.database import async_url  # noqa: PLC0415  slow to import

    if settings.database_url is None:
        raise UsageProblemError("RECENT_SYNC_DATABASE_URL is not set.")
    try:
        return async_url(settings.database_url.get_secret_value())
    except ValueError as error:
        raise UsageProblemError(f"RECENT_SYNC_DATABASE_URL is wrong: {error}.") from None


@contextmanager
def database_errors() -> Iterator[None]:
    """Turn failures of the database into one sentence that shows no password."""
    from asyncpg import PostgresError  # noqa: PLC0415  slow to import
    from sqlalchemy.exc import ArgumentError, DBAPIError, ProgrammingError  # noqa: PLC0415

    try:
        yield
    except ArgumentError:
        raise UsageProblemError("RECENT_SYNC_DATABASE_URL is not a URL.") from None
    except ProgrammingError:
        raise UsageProblemError(
            "The database has not the tables of this version: run `recent-sync db upgrade`."
        ) from None
    except (OSError, TimeoutError, PostgresError, DBAPIError) as error:
        raise UnreachableError(
            f"The database cannot be used ({type(error).__name__}): "
            "look at RECENT_SYNC_DATABASE_URL and at the server."
        ) from None


def _default_data_dir() -> Path:
    from app.embedded import EmbeddedError, default_data_dir  # noqa: PLC0415

    try:
        return default_data_dir()
    except EmbeddedError as error:
        raise UsageProblemError(str(error)) from None
