"""Single records of a store by their ids, for source and target alike."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from http import HTTPStatus
from typing import Any, TypeVar

from connectors.base import Sweep
from connectors.concurrency import together
from connectors.errors import BadAnswer
from connectors.records import Record, Stream
from connectors.woocommerce.api import Api, Listing, RefusedRequest, says_gone
from connectors.woocommerce.lists import PAGE, PATHS, ROWS, names, query
from connectors.woocommerce.loading import Loaded, Loader
from connectors.woocommerce.parts import plain_metas
from connectors.woocommerce.wire import WireMetadata

_UNMAPPABLE = "record_unmappable"
_WITH_METADATA = frozenset({Stream.PRODUCTS, Stream.CUSTOMERS, Stream.ORDERS})

Id = TypeVar("Id", int, str)


class SingleRecords:
    """Looks records up by id. Raises `StoreError`."""

    def __init__(self, api: Api, loader: Loader) -> None:
        self._api = api
        self._loader = loader

    async def get(self, stream: Stream, ids: Sequence[str]) -> dict[str, Record]:
        """Those that are there; what no list shows is asked for alone before it counts as gone.
        One that cannot be understood raises `BadAnswer`.
        """
        records, failed = await self.load(stream, ids)
        if failed:
            raise BadAnswer(f"record {failed[0][0]}: {failed[0][1]}", code=_UNMAPPABLE)
        return {record.id: record for record in records}

    async def load(self, stream: Stream, ids: Sequence[str]) -> Loaded:
        """As `get`, with those apart that cannot be understood."""
        asked = set(ids)
        parents = {each.partition(":")[0] for each in asked}
        numbers = sorted({int(each) for each in parents if each.isdecimal()})
        rows, strange = await self._listed(stream, numbers)
        missing = set(numbers) - {row.id for row in rows} - {number for number, _ in strange}
        alone = await together([self.alone(stream, number) for number in sorted(missing)])
        records, failed = await self._loader.load(stream, [*rows, *filter(None, alone)])
        return Loaded(
            [record for record in records if record.id in asked],
            [*((str(number), reason) for number, reason in strange), *failed],
        )

    async def _listed(
        self, stream: Stream, numbers: Sequence[int]
    ) -> tuple[list[Any], list[tuple[int, str]]]:
        asked = [
            query(stream, name, Sweep()) | {"include": ",".join(map(str, some)), "per_page": PAGE}
            for some in _portions(numbers)
            for name in names(stream, Sweep())
        ]
        pages: list[Listing[Any]] = await together(
            [self._api.list(PATHS[stream], each, ROWS[stream]) for each in asked]
        )
        rows = [row for page in pages for row in page.rows]
        return rows, [each for page in pages for each in page.failed]

    async def metadata(
        self, stream: Stream, ids: Sequence[str], wanted: Collection[str]
    ) -> dict[str, dict[str, str]]:
        """Meta data by record and key, private ones included; of texts and numbers alone."""
        if stream not in _WITH_METADATA:
            return {}
        asked = [
            query(stream, name, Sweep())
            | {"include": ",".join(some), "per_page": PAGE, "_fields": "id,meta_data"}
            for some in _portions(sorted(ids))
            for name in names(stream, Sweep())
        ]
        pages = await together(
            [self._api.list(PATHS[stream], each, WireMetadata) for each in asked]
        )
        return {
            str(row.id): plain_metas(row.meta_data, wanted) for page in pages for row in page.rows
        }

    async def alone(self, stream: Stream, number: int) -> Any:
        """The row of a record that no list shows: it may be in the trash, or too new. None where
        there is none.
        """
        try:
            return await self._api.get(f"{PATHS[stream]}/{number}", ROWS[stream])
        except RefusedRequest as error:
            # A shop whose WooCommerce is turned off answers 404 as well.
            if error.status != HTTPStatus.NOT_FOUND or not says_gone(error):
                raise
            return None


def _portions(numbers: Sequence[Id]) -> Iterator[Sequence[Id]]:
    for start in range(0, len(numbers), PAGE):
        yield numbers[start : start + PAGE]
