"""A migration's stores, opened for a worker: credentials decrypted here and nowhere else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from msgspec.structs import replace
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.database import autocommit
from app.mapping.mapped import MappingUnusable, mapper, mapping
from app.mapping.mapper import Mapper
from app.models import AUDIT_RUNS
from app.security import Vault, VaultError
from connectors.abilities import ReadsWhole
from connectors.base import (
    Connector,
    Json,
    ReadCapability,
    Source,
    StoreAccess,
    Target,
    Trust,
    WriteCapability,
)
from connectors.budget import Budgets
from connectors.records import Stream
from connectors.registry import AccessError, UnknownPlatformError, access, connector
from workers.engine.errors import JobFailed
from workers.engine.policy import Policies
from workers.engine.run import DeletionPolicy, Scope
from workers.engine.window import Lags


@dataclass(frozen=True, slots=True)
class Stores:
    """Both ends of a migration, not opened yet, and its scope. `unmuted` is how loud the target
    was, while it is silent; `demoted` are streams whose timestamps were caught lying.
    """

    scope: Scope
    source_platform: Connector
    source_access: StoreAccess
    target_platform: Connector
    target_access: StoreAccess
    target_store: UUID
    unmuted: Json | None
    demoted: frozenset[Stream] = frozenset()

    @property
    def reads(self) -> dict[Stream, ReadCapability]:
        """How the source is read, with the trust that is in force."""
        return {
            stream: replace(capability, trust=Trust.SWEEP) if stream in self.demoted else capability
            for stream, capability in self.source_platform.reads.items()
        }

    @property
    def writes(self) -> dict[Stream, WriteCapability]:
        """What the target can do. How long its writes may run is for each store to say."""
        settle = getattr(self.target_access.settings, "write_settle", None)
        return {
            stream: capability if settle is None else replace(capability, write_settle=settle)
            for stream, capability in self.target_platform.writes.items()
        }

    @asynccontextmanager
    async def open(self, budgets: Budgets) -> AsyncIterator[tuple[Source, Target]]:
        """Connections to both stores, closed at the end. They spend from the stores' budgets.

        The source gives its records as the migration's mapping rules want them on the target.
        """
        if self.source_platform.source is None or self.target_platform.target is None:
            raise JobFailed(
                "wrong_direction",
                f"{self.source_platform.title} cannot be read"
                if self.source_platform.source is None
                else f"{self.target_platform.title} cannot be written",
            )
        async with (
            self.source_platform.source(replace(self.source_access, budgets=budgets)) as source,
            self.target_platform.target(replace(self.target_access, budgets=budgets)) as target,
        ):
            yield mapping(source, self.scope.mapper), target

    @asynccontextmanager
    async def read_target(self, budgets: Budgets) -> AsyncIterator[ReadsWhole]:
        """A connection to the target that reads it as if it were a source."""
        access, platform = replace(self.target_access, budgets=budgets), self.target_platform
        if platform.source is not None:
            async with platform.source(access) as source:
                yield source
            return
        if platform.target is not None:
            async with platform.target(access) as target:
                if isinstance(target, ReadsWhole):
                    yield target
                    return
        raise JobFailed("wrong_direction", f"{platform.title} cannot be read")


_LOAD = text(
    """
    SELECT m.id, m.key_prefix, m.streams, m.policies, m.launch_at,
           s.platform AS source_platform, s.settings AS source_settings,
           s.credentials AS source_credentials,
           t.id AS target_id, t.platform AS target_platform, t.settings AS target_settings,
           t.credentials AS target_credentials, t.unmuted, v.version AS mapping_version,
           v.rules::text AS mapping_rules,
           ARRAY(
               SELECT stream FROM stream_states AS d
               WHERE d.migration_id = m.id AND d.demoted_at IS NOT NULL
           ) AS demoted
    FROM migrations AS m
    JOIN stores AS s ON s.id = m.source_id
    JOIN stores AS t ON t.id = m.target_id
    LEFT JOIN mapping_versions AS v ON v.migration_id = m.id AND v.version = coalesce(
        (SELECT mapping_version FROM jobs WHERE id = :job),
        (SELECT max(version) FROM mapping_versions WHERE migration_id = m.id)
    )
    WHERE m.id = :id
    """
)


async def load_stores(
    engine: AsyncEngine,
    vault: Vault,
    migration: UUID,
    job: UUID | None = None,
    *,
    with_rules: bool = True,
) -> Stores:
    """Read a migration's stores, with the mapping rules that a job goes by, or the newest.

    Raises `JobFailed` where they cannot be used.
    """
    async with autocommit(engine) as connection:
        row = (await connection.execute(_LOAD, {"id": migration, "job": job})).one()
    try:
        return Stores(
            scope=_scope(row, with_rules=with_rules),
            source_platform=connector(row.source_platform),
            source_access=access(
                row.source_platform, row.source_settings, vault.open(row.source_credentials)
            ),
            target_platform=connector(row.target_platform),
            target_access=access(
                row.target_platform, row.target_settings, vault.open(row.target_credentials)
            ),
            target_store=row.target_id,
            unmuted=row.unmuted,
            demoted=frozenset(Stream(each) for each in row.demoted),
        )
    except UnknownPlatformError as error:
        raise JobFailed("unknown_platform", f"no connector for {error} is installed") from error
    except AccessError as error:
        raise JobFailed("invalid_store_settings", str(error)) from error
    except VaultError as error:
        raise JobFailed("credentials_unreadable", str(error)) from error
    except MappingUnusable as error:
        raise JobFailed("mapping_unusable", str(error)) from error


def _scope(row: Row[Any], *, with_rules: bool) -> Scope:
    policies = row.policies
    sweeps, horizons = policies.get("sweep", {}), policies.get("horizon", {})
    return Scope(
        migration=row.id,
        key_prefix=row.key_prefix,
        streams=tuple(stream for stream in Stream if stream in row.streams),
        lags=Lags(overlap=policies.get("overlap"), settle=policies.get("settle")),
        free_references=policies.get("on_missing_reference", "free") == "free",
        audit_runs=policies.get("audit", {}).get("runs", AUDIT_RUNS),
        shallow=frozenset(Stream(each) for each in sweeps if sweeps[each] == "shallow"),
        horizons={Stream(each): timedelta(days=horizons[each]["days"]) for each in horizons},
        policies=Policies(policies.get("conflicts", {})),
        deletions=DeletionPolicy.of(policies.get("deletions") or {}),
        mapper=mapper(row.mapping_version, row.mapping_rules) if with_rules else Mapper(),
        thresholds=(policies.get("readiness") or {}).get("thresholds") or {},
        launch_at=row.launch_at,
    )
