"""`recent-sync keys …`: API keys and the keys of the vault, directly in the database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.display import AsJson, note, print_done, print_json, print_table, print_whole
from app.cli.failures import UsageProblemError
from app.cli.local import database_errors, database_url, local_settings
from app.settings import Settings

if TYPE_CHECKING:
    from sqlmodel.ext.asyncio.session import AsyncSession

# What is slow to import is imported where it is used: most commands need none of it.
SCOPES = ("read", "run", "admin")

commands = typer.Typer(no_args_is_help=True, help="API keys, and the keys that encrypt at rest.")


@dataclass(frozen=True)
class CreatedKey:
    """`text` is shown once and kept nowhere."""

    text: str
    prefix: str
    name: str
    scopes: tuple[str, ...]
    expires_at: datetime | None

    def document(self) -> dict[str, Any]:
        """As `--json` prints it."""
        shown = asdict(self)
        return {"key": shown.pop("text"), **shown}


@asynccontextmanager
async def _session(settings: Settings) -> AsyncIterator[AsyncSession]:
    """A transaction with a connection of its own."""
    from sqlmodel.ext.asyncio.session import AsyncSession as Session  # noqa: PLC0415

    from app.database import create_engine  # noqa: PLC0415

    engine = create_engine(database_url(settings), pool=1)
    try:
        async with Session(engine, expire_on_commit=False) as session, session.begin():
            yield session
    finally:
        await engine.dispose()


def create_key(
    settings: Settings, name: str, scopes: tuple[str, ...], days: int | None = None
) -> CreatedKey:
    """Make an API key. Raises `UnreachableError`."""
    from app.services import api_keys  # noqa: PLC0415

    expires = datetime.now(UTC) + timedelta(days=days) if days else None

    async def work() -> CreatedKey:
        async with _session(settings) as session:
            key, text = await api_keys.create_key(
                session, name=name, scopes=scopes, expires_at=expires
            )
            return CreatedKey(text, key.prefix, name, scopes, expires)

    with database_errors():
        return asyncio.run(work())


def list_keys(settings: Settings) -> list[dict[str, Any]]:
    """All API keys, the newest first, without their secrets."""
    from sqlalchemy import text  # noqa: PLC0415

    async def work() -> list[dict[str, Any]]:
        async with _session(settings) as session:
            found = await (await session.connection()).execute(
                text(
                    "SELECT prefix, name, scopes, created_at, expires_at, revoked_at, used_at"
                    " FROM api_keys ORDER BY created_at DESC, prefix"
                )
            )
            return [dict(each) for each in found.mappings()]

    with database_errors():
        return asyncio.run(work())


@commands.command("create")
def create(
    name: Annotated[str, typer.Option(help="Whose key it is, or what for.")] = "command line",
    scope: Annotated[
        list[str] | None, typer.Option(help="read, run or admin; several are possible.")
    ] = None,
    days: Annotated[int | None, typer.Option(min=1, max=3650, help="Days it is valid.")] = None,
    *,
    json: AsJson = False,
) -> None:
    """Make an API key. It is shown once."""
    scopes = tuple(dict.fromkeys(scope or SCOPES))
    if unknown := [each for each in scopes if each not in SCOPES]:
        raise UsageProblemError(f"There is no scope {unknown[0]!r}: use {', '.join(SCOPES)}.")
    with local_settings() as settings:
        made = create_key(settings, name, scopes, days)
    if json:
        print_json(made.document())
        return
    print_whole(made.text)
    note("It is shown this once. Hand it to programs as RECENT_SYNC_API_KEY.")


@commands.command("list")
def show_all(*, json: AsJson = False) -> None:
    """List API keys by the public part of their text."""
    with local_settings() as settings:
        rows = list_keys(settings)
    if json:
        print_json(rows)
        return
    columns = ("prefix", "name", "scopes", "created", "expires", "revoked", "used")
    print_table(
        columns,
        [[each.get(column, each.get(f"{column}_at")) for column in columns] for each in rows],
    )


@commands.command("revoke")
def revoke(
    prefix: Annotated[str, typer.Argument(help="The part between the first two underscores.")],
    *,
    json: AsJson = False,
) -> None:
    """Make an API key useless from now on."""
    from sqlalchemy import text  # noqa: PLC0415

    async def work(settings: Settings) -> bool:
        async with _session(settings) as session:
            found = await (await session.connection()).execute(
                text(
                    "UPDATE api_keys SET revoked_at = coalesce(revoked_at, clock_timestamp())"
                    " WHERE prefix = :prefix RETURNING id"
                ),
                {"prefix": prefix},
            )
            return found.scalar() is not None

    with local_settings() as settings, database_errors():
        known = asyncio.run(work(settings))
    if not known:
        raise UsageProblemError(
            "There is no API key with this prefix: see `recent-sync keys list`."
        )
    print_done(f"Revoked {prefix}.", {"revoked": prefix}, json=json)


@commands.command("rotate")
def rotate(*, json: AsJson = False) -> None:
    """Encrypt all store credentials again, under the first of RECENT_SYNC_ENCRYPTION_KEYS."""
    from app.security import Vault, VaultError  # noqa: PLC0415
    from app.services.vault import rotate_all  # noqa: PLC0415

    async def work(settings: Settings) -> int:
        async with _session(settings) as session:
            return await rotate_all(session, Vault.from_settings(settings))

    with local_settings() as settings, database_errors():
        try:
            count = asyncio.run(work(settings))
        except VaultError as error:
            raise UsageProblemError(f"Nothing was changed: {error}.") from None
    print_done(
        f"The credentials of {count} stores are now under the first key.",
        {"stores": count},
        json=json,
    )


@commands.command("generate")
def generate() -> None:
    """Print a fresh key for RECENT_SYNC_ENCRYPTION_KEYS."""
    from cryptography.fernet import Fernet  # noqa: PLC0415

    print_whole(Fernet.generate_key().decode())
