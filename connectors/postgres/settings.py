"""Where a PostgreSQL target is and who we are there."""

from __future__ import annotations

import ssl
from enum import StrEnum
from typing import Annotated, Any, Self
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, field_validator

from connectors.base import StoreAccess
from connectors.forms import ADVANCED, MULTILINE

_TIMEOUT_MARGIN = 5.0  # the server gives up first, so that its answer says why

Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z_][a-z0-9_]{0,62}$")]
Host = Annotated[str, StringConstraints(min_length=1, max_length=253, pattern=r"^[^\s/,@?#%]+$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=63, pattern=r"^[^\x00]+$")]


class SslMode(StrEnum):
    """As libpq names them. `verify-full` is the only one that proves who answers."""

    DISABLE = "disable"
    PREFER = "prefer"
    REQUIRE = "require"
    VERIFY_FULL = "verify-full"


class PostgresSettings(BaseModel):
    """A database and the schema in it that holds the shop."""

    model_config = ConfigDict(extra="forbid", validate_by_name=True, validate_by_alias=True)

    host: Host = Field(
        "localhost", description="Name or address of the server.", examples=["db.shop.example"]
    )
    port: int = Field(5432, ge=1, le=65_535, description="The port that the server listens on.")
    database: Name = Field("postgres", description="The database on that server.")
    user: Name = Field("postgres", description="The role that recent-sync signs in as.")
    namespace: Identifier = Field(
        "shop",
        alias="schema",
        title="Schema",
        description="The schema that holds the tables; made on demand.",
    )
    sslmode: SslMode = Field(
        SslMode.PREFER,
        title="Encryption",
        description="As libpq names it. verify-full is the only one that proves who answers.",
    )
    ca_certificate: str | None = Field(
        None,
        title="CA certificates",
        description="Certificates to trust with verify-full, as PEM; else the system's.",
        examples=["-----BEGIN CERTIFICATE-----"],
        json_schema_extra=MULTILINE,
    )
    pool_size: int = Field(
        4,
        ge=1,
        le=50,
        title="Connections",
        description="Connections a process may hold.",
        json_schema_extra=ADVANCED,
    )
    pooler: bool = Field(
        False,
        title="Behind a pooler",
        description="A transaction pooler (PgBouncer) stands before the database.",
        json_schema_extra=ADVANCED,
    )
    timeout: float = Field(
        60.0,
        gt=0,
        le=600,
        title="Time-out",
        description="Seconds for one statement.",
        json_schema_extra=ADVANCED,
    )

    @field_validator("namespace")
    @classmethod
    def _is_free(cls, name: str) -> str:
        if name.startswith("pg_") or name == "information_schema":
            raise ValueError("this schema belongs to PostgreSQL itself")
        return name

    @field_validator("ca_certificate")
    @classmethod
    def _is_pem(cls, text: str | None) -> str | None:
        try:
            ssl.create_default_context(cadata=text)
        except (ssl.SSLError, ValueError):
            raise ValueError("no certificates in PEM form") from None
        return text


class PostgresCredentials(BaseModel):
    """A password, or a whole address that then replaces host, port, database and user."""

    model_config = ConfigDict(extra="forbid")

    password: SecretStr = Field(SecretStr(""), description="The role's password, if it has one.")
    dsn: SecretStr | None = Field(
        None,
        title="Address with password",
        description="Instead of host, port, database, user and password: "
        "postgresql://user:password@host:port/database?sslmode=require",
    )

    @field_validator("dsn")
    @classmethod
    def _can_be_read(cls, dsn: SecretStr | None) -> SecretStr | None:
        if dsn is not None:
            _Address.parse(dsn.get_secret_value())
        return dsn


class _Address(BaseModel):
    """What a DSN says. Other parameters than `sslmode` are refused: libpq's may name files."""

    model_config = ConfigDict(hide_input_in_errors=True)

    host: Host
    port: int = 5432
    database: Name
    user: Name
    password: str = ""
    sslmode: SslMode | None = None

    @classmethod
    def parse(cls, dsn: str) -> Self:
        parts = _split(dsn)
        values: dict[str, Any] = {
            "host": parts.hostname,
            "port": parts.port or 5432,
            "database": unquote(parts.path.removeprefix("/")),
            "user": unquote(parts.username or ""),
            "password": unquote(parts.password or ""),
        }
        options = {key: each[-1] for key, each in parse_qs(parts.query).items()}
        if set(options) - {"sslmode"}:
            raise ValueError("only the parameter sslmode is understood")
        return cls(**values, **options)


def _split(dsn: str) -> SplitResult:
    parts = urlsplit(dsn)
    if parts.scheme not in {"postgres", "postgresql"}:
        raise ValueError("the address begins with postgresql://")
    if not parts.hostname or not parts.username or len(parts.path) <= 1:
        raise ValueError("the address names a user, a host and a database")
    return parts


def connection_arguments(access: StoreAccess) -> dict[str, Any]:
    """Keyword arguments of `asyncpg.create_pool`.

    All of them are given, so that neither environment variables nor files of the machine that
    the service runs on take part.
    """
    settings, credentials = access.settings, access.credentials
    assert isinstance(settings, PostgresSettings)  # noqa: S101 - what the registry validated
    assert isinstance(credentials, PostgresCredentials)  # noqa: S101
    return {
        **_address(settings, credentials),
        "direct_tls": False,
        "target_session_attrs": "any",
        "min_size": 0,
        "max_size": settings.pool_size,
        "timeout": min(15.0, settings.timeout),
        "command_timeout": settings.timeout + _TIMEOUT_MARGIN,
        "statement_cache_size": 0 if settings.pooler else 100,
        "server_settings": _session(settings),
    }


def _address(settings: PostgresSettings, credentials: PostgresCredentials) -> dict[str, Any]:
    if credentials.dsn is None:
        return {
            "host": settings.host,
            "port": settings.port,
            "database": settings.database,
            "user": settings.user,
            "password": credentials.password.get_secret_value(),
            "ssl": _ssl(settings.sslmode, settings.ca_certificate),
        }
    found = _Address.parse(credentials.dsn.get_secret_value())
    mode = found.sslmode or settings.sslmode
    return {
        **found.model_dump(exclude={"sslmode"}),
        "ssl": _ssl(mode, settings.ca_certificate),
    }


def _session(settings: PostgresSettings) -> dict[str, str]:
    if settings.pooler:  # most poolers refuse to start a session with anything else
        return {"application_name": "recent-sync"}
    return {
        "application_name": "recent-sync",
        "statement_timeout": str(round(settings.timeout * 1000)),
        "lock_timeout": str(round(settings.timeout * 500)),
        "idle_in_transaction_session_timeout": str(round(settings.timeout * 2000)),
        "jit": "off",  # compiling costs more than any statement here
    }


def _ssl(mode: SslMode, ca_certificate: str | None) -> ssl.SSLContext | str | bool:
    if mode is SslMode.DISABLE:
        return False
    if mode is SslMode.PREFER:
        return "prefer"
    context = ssl.create_default_context(cadata=ca_certificate)
    if mode is SslMode.REQUIRE:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
