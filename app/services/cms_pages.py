"""Pages of the old shop that are no records: read from both shops, and kept for the map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.errors import StoreFailed, StoreTooSlow
from app.models import Store
from app.redirects.chart import CmsLink
from app.redirects.cms import paired
from app.redirects.paths import key
from app.resources import Resources
from app.services.opening import open_source, open_target
from connectors.cms import CmsKind, cms_pages


class Read(NamedTuple):
    """The old shop's pages, None where it could not say this time; and what the shops do not tell,
    a sentence each.
    """

    links: list[CmsLink] | None
    notes: list[str]


async def read(resources: Resources, source: Store, target: Store) -> Read:
    """Ask both shops. The map of records does not depend on it: a failure is a note."""
    try:
        return await _read(resources, source, target)
    except (StoreFailed, StoreTooSlow) as error:
        return Read(None, [f"Pages that are no records: {error.detail}"])


async def _read(resources: Resources, source: Store, target: Store) -> Read:
    async with open_source(source, resources) as store:
        old = await cms_pages(store)
    notes = [f"The source: {each}" for each in old.notes]
    if not old.pages:
        return Read([], notes)
    async with open_target(target, resources) as store:
        new = await cms_pages(store)
    return Read(paired(old.pages, new.pages), notes + [f"The target: {each}" for each in new.notes])


_NONE = text("DELETE FROM cms_addresses WHERE migration_id = :migration")
_PUT = text(
    """
    INSERT INTO cms_addresses
        (migration_id, old_key, old_path, kind, title, new_path, like_path)
    SELECT :migration, n.old_key, n.old_path, n.kind, n.title, n.new_path, n.like_path
    FROM unnest(CAST(:keys AS text[]), CAST(:old AS text[]), CAST(:kinds AS text[]),
                CAST(:titles AS text[]), CAST(:new AS text[]), CAST(:like AS text[]))
        AS n (old_key, old_path, kind, title, new_path, like_path)
    ON CONFLICT (migration_id, old_key) DO UPDATE SET
        old_path = excluded.old_path, kind = excluded.kind, title = excluded.title,
        new_path = excluded.new_path, like_path = excluded.like_path, seen_at = excluded.seen_at
    """
)
_KEPT = text(
    "SELECT kind, title, old_path, new_path, like_path FROM cms_addresses"
    " WHERE migration_id = :migration"
)


async def keep(connection: AsyncConnection, migration: UUID, links: Sequence[CmsLink]) -> None:
    """These, each path once, in the place of all that were kept before. Somebody else may keep
    theirs at the same moment.
    """
    await connection.execute(_NONE, {"migration": migration})
    await connection.execute(
        _PUT,
        {
            "migration": migration,
            "keys": [key(each.old) for each in links],
            "old": [each.old for each in links],
            "kinds": [each.kind for each in links],
            "titles": [each.title for each in links],
            "new": [each.new for each in links],
            "like": [each.like for each in links],
        },
    )


async def kept(connection: AsyncConnection, migration: UUID) -> list[CmsLink]:
    """What was read last."""
    rows = await connection.execute(_KEPT, {"migration": migration})
    return [
        CmsLink(CmsKind(row.kind), row.title, row.old_path, row.new_path, row.like_path)
        for row in rows
    ]
