"""The service's settings: environment variables with the prefix `RECENT_SYNC_`."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

LogLevel = Annotated[
    Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"],
    BeforeValidator(lambda value: value.upper() if isinstance(value, str) else value),
]


_KEY_BYTES = 32


class Settings(BaseSettings):
    """Every setting has a default that works on one machine; production sets the first four."""

    # A wrong value may hold a password.
    model_config = SettingsConfigDict(
        env_prefix="RECENT_SYNC_", extra="ignore", hide_input_in_errors=True
    )

    database_url: SecretStr | None = Field(
        default=None,
        description="PostgreSQL 15 or newer, as postgresql://user:password@host/name. "
        "Without it the service starts a PostgreSQL of its own.",
    )
    redis_url: SecretStr | None = Field(
        default=None,
        description="Redis 7 or Valkey, as redis://:password@host:6379/0. "
        "Without it the service starts a Valkey of its own.",
    )
    encryption_keys: SecretStr | None = Field(
        default=None,
        description="Keys for store credentials at rest, comma-separated; the first one encrypts, "
        "all of them decrypt. `recent-sync keys generate` makes one. Without it a key is kept "
        "in the data folder.",
    )
    signing_key: SecretStr | None = Field(
        default=None,
        description="Ed25519 keys that sign verdicts: 32 bytes in URL-safe base64, by commas; "
        "the first one signs, all of them are published. Without it a key is derived from each "
        "encryption key, so that all processes agree.",
    )
    data_dir: Path | None = Field(
        default=None,
        description="Folder of the embedded servers and of generated secrets. The default "
        "differs for every user and checkout.",
    )
    host: str = Field(default="127.0.0.1", description="Address the API listens on.")
    port: int = Field(default=8400, ge=0, le=65535, description="Port the API listens on.")
    log_level: LogLevel = Field(default="INFO", description="DEBUG, INFO, WARNING or ERROR.")
    log_format: Literal["json", "text"] = Field(
        default="json", description="`json`, or `text` for a terminal."
    )
    max_body_bytes: int = Field(
        default=1_048_576, ge=1024, description="Largest request body accepted, in bytes."
    )
    database_pool: int = Field(
        default=10, ge=1, description="Connections to PostgreSQL a process may hold."
    )
    worker_slices: int = Field(
        default=4, ge=1, le=64, description="Slices one worker process works on at once."
    )
    slice_seconds: float = Field(
        default=45.0,
        gt=0,
        description="After this many seconds a slice is handed back to the queue, to continue.",
    )
    lease_seconds: float = Field(
        default=15.0,
        gt=1,
        description="How long a silent worker keeps a slice before another one may take it.",
    )
    heartbeat_seconds: float = Field(
        default=4.0, gt=0, description="How often a worker renews the leases it holds."
    )
    reaper_seconds: float = Field(
        default=3.0, gt=0, description="How often a worker looks for slices nobody works on."
    )
    transaction_seconds: float = Field(
        default=120.0,
        ge=1,
        description="After this long PostgreSQL ends a transaction in which a process stands "
        "still. Longer than any transaction waits for a store that answers at all.",
    )
    parallel_slices: int = Field(
        default=8, ge=1, le=64, description="Parts a large pass is split into."
    )
    events_keep_days: int = Field(default=30, ge=1, description="How long job events are kept.")
    webhook_private_addresses: bool = Field(
        default=False,
        description="Whether webhooks may go to addresses inside the network of the service, and "
        "without TLS.",
    )

    @field_validator("encryption_keys", "signing_key")
    @classmethod
    def _are_keys(cls, given: SecretStr | None) -> SecretStr | None:
        for key in given.get_secret_value().split(",") if given else ():
            if key.strip() and not _is_key(key.strip()):
                raise ValueError("each key is 32 bytes in URL-safe base64")
        return given


def _is_key(text: str) -> bool:
    try:
        return len(base64.urlsafe_b64decode(text)) == _KEY_BYTES
    except ValueError:
        return False
