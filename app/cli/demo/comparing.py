"""Both shops, compared record by record over their own APIs; our ledger has no say in it."""

from __future__ import annotations

import asyncio

from app.cli.demo.practice import PracticeStore
from app.cli.demo.report import Report, StreamResult
from app.cli.demo.scene import Scene
from app.cli.failures import UnreachableError
from connectors.base import Source
from connectors.comparison import Progress, StreamComparison, compare
from connectors.errors import StoreError
from connectors.records import Stream
from connectors.registry import access, connector

PLATFORM = "woocommerce"


def compare_stores(scene: Scene, report: Report, progress: Progress) -> None:
    """Read both stores and note in the report what differs. Raises `UnreachableError`."""
    try:
        asyncio.run(_compare(scene, report, progress))
    except StoreError as error:
        raise UnreachableError(f"The shops cannot be compared: {error}") from None


async def _compare(scene: Scene, report: Report, progress: Progress) -> None:
    losses = {stream: each.losses for stream, each in connector(PLATFORM).writes.items()}
    async with _open(scene.source) as source, _open(scene.target) as target:
        found = await compare(source, target, list(Stream), losses, progress=progress)
    for stream, each in found.streams.items():
        _note(report.streams.setdefault(str(stream), StreamResult()), each)


def _open(store: PracticeStore) -> Source:
    platform = connector(PLATFORM)
    if platform.source is None:
        raise AssertionError(f"{PLATFORM} stores can be read")
    credentials = {
        "consumer_key": store.keys.consumer_key,
        "consumer_secret": store.keys.consumer_secret,
    }
    return platform.source(access(PLATFORM, {"url": store.url}, credentials))


def _note(result: StreamResult, found: StreamComparison) -> None:
    result.compared = found.compared
    # What nobody can read is not proven to be there.
    result.missing = found.missing + found.unreadable
    result.wrong, result.doubled, result.foreign = found.wrong, found.doubled, found.foreign
    result.losses = dict(found.declared)
    result.examples = [
        *(f"{source_id} is missing" for source_id in found.missing_ids),
        *(f"{each.source_id} differs in {', '.join(each.fields)}" for each in found.wrong_pairs),
        *(f"{target_id} is one too many in B" for target_id in found.doubled_ids),
    ]
