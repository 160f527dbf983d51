"""Writing orders: one request each, to the add-on, which may be sent twice."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from connectors.base import Applied, Loss, Operation, Outcome, Refused
from connectors.errors import BadAnswer
from connectors.minor_units import same
from connectors.prices import in_other_currencies
from connectors.records import Money, Order, Stream
from connectors.vendure.api import Api, TakenError, decoder
from connectors.vendure.bodies_orders import Writing
from connectors.vendure.documents import selection
from connectors.vendure.documents_writing import import_order
from connectors.vendure.loading import Loader
from connectors.vendure.pairing import pair_order
from connectors.vendure.parts import KEY
from connectors.vendure.shop import IMPORTER_VERSION
from connectors.vendure.wire import Wire, WireStock
from connectors.vendure.wire_orders import WireOrder

Countries = Callable[[], Awaitable[dict[str, str]]]
"""Gives the names of countries by their codes."""

_TOTAL = Loss("total", "The target reckons another total.")
_TAX = Loss("tax_total", "The target reckons another tax.")
_OTHER = "the store's add-on is of another version than this connector: copy it there again"


class _Imported(Wire):
    import_order: WireOrder


class OrderWriter:
    """Writes orders to one store."""

    def __init__(self, api: Api, loader: Loader, countries: Countries) -> None:
        self._api = api
        self._loader = loader
        self._countries = countries

    async def write(self, operation: Operation) -> Outcome:
        """Bring one order in, or change it. Raises `StoreError`."""
        content = operation.content
        if not isinstance(content, Order):
            raise TypeError("an operation of another stream")
        if told := in_other_currencies(_amounts(content), content.currency):
            return _refused(operation, "other_currency", told)
        shop = await self._loader.shop()
        if shop.importer is None:
            return _refused(operation, "addon_missing", "orders need the add-on for Vendure")
        if shop.importer.version != IMPORTER_VERSION:
            return _refused(operation, "addon_version", _OTHER)
        if operation.target_id and not await self._is_there(operation):
            return _refused(operation, "gone", "the order is not there any more", gone=True)
        writing = Writing(shop, await self._own_variants(content), await self._countries())
        document = import_order(selection(Stream.ORDERS, shop))
        given = {"input": writing.body(operation, content)}
        try:
            answer = await self._api.ask(document, _Imported, given)
        except TakenError:
            if not await self._loader.rows(Stream.ORDERS, KEY, [operation.key]):
                return _refused(operation, "number_taken", "another order has this number")
            # It was brought in by the same request in the same moment.
            answer = await self._api.ask(document, _Imported, given)
        row = answer.import_order
        shown = self._loader.record(Stream.ORDERS, row, shop).content
        return Applied(
            source_id=operation.source_id,
            target_id=row.id,
            children=pair_order(content, row),
            content=shown,
            losses=tuple(_losses(content, shown)),
        )

    async def _is_there(self, operation: Operation) -> bool:
        """Whether the order to change is there, and is ours to change."""
        rows = await self._loader.by_ids(Stream.ORDERS, [operation.target_id or ""])
        return bool(rows)

    async def _own_variants(self, content: Order) -> dict[str, str]:
        """The only variants of products that have no others, by the products' ids."""
        products = {each.product for each in content.lines if each.product and not each.variant}
        if not products:
            return {}
        rows = await self._loader.rows(Stream.INVENTORY, "productId", sorted(products))
        decode = decoder(WireStock).decode
        found: Iterable[WireStock] = map(decode, rows)
        return {each.product_id: each.id for each in found if not each.options}


def _amounts(content: Order) -> Iterable[Money | None]:
    """What is written in the currency of the order; any that Vendure knows will do, whichever the
    channel sells in.
    """
    yield content.total
    yield from (each.total for each in content.lines)
    yield from (each.total for each in content.shipping_lines)
    yield from (each.total for each in content.fees)
    yield from (each.amount for each in content.transactions)
    yield from (each.amount for each in content.refunds)


def _losses(content: Order, shown: object) -> Iterable[Loss]:
    if not isinstance(shown, Order):
        raise BadAnswer("the store answers with a record of another stream")
    if not same(content.total, shown.total):
        yield _TOTAL
    if not same(content.tax_total, shown.tax_total):
        yield _TAX


def _refused(operation: Operation, code: str, message: str, *, gone: bool = False) -> Refused:
    return Refused(source_id=operation.source_id, code=code, message=message, gone=gone)
