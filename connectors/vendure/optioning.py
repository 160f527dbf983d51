"""Option groups of a product and their values, found or made."""

from __future__ import annotations

from typing import Any

from connectors.records import Product
from connectors.variants import options_of
from connectors.vendure.api import Api
from connectors.vendure.documents_writing import (
    ADD_GROUP,
    CREATE_GROUP,
    CREATE_OPTION,
    REMOVE_GROUP,
)
from connectors.vendure.facets import slug
from connectors.vendure.loading import Loader
from connectors.vendure.wire import WireGroup, WireId, WireOption, WireProduct

OptionIds = dict[tuple[str, str], str]
"""Ids of options by the names of their group and their own."""


class Options:
    """Options of one store's products. Groups belong to one product each."""

    def __init__(self, api: Api, loader: Loader) -> None:
        self._api = api
        self._loader = loader

    async def write(self, content: Product, row: WireProduct) -> OptionIds:
        """Make what is missing of a product's options; the ids of all. A product without variants
        has none: groups are taken away where they are in the way of its only one. Raises
        `StoreError`.
        """
        if not content.variants:
            has_own = any(not each.options for each in row.variants)
            for each in () if has_own else row.option_groups:
                given = {"product": row.id, "group": each.id}
                await self._api.ask(REMOVE_GROUP, dict[str, Any], given)
            return {}
        groups = {each.name: each for each in row.option_groups}
        ids: OptionIds = {}
        for wanted in options_of(content):
            used = {
                each.value
                for variant in content.variants
                for each in variant.options
                if each.name == wanted.name
            }
            values = list(dict.fromkeys([*wanted.values, *sorted(used)]))
            group = groups.get(wanted.name)
            if group is None:
                group = await self._make_group(wanted.name, values, row.id)
            known = {each.name: each.id for each in group.options}
            for value in values:
                if value not in known:
                    known[value] = await self._make_option(group.id, value)
                ids[wanted.name, value] = known[value]
        return ids

    async def _make_group(self, name: str, values: list[str], product: str) -> WireGroup:
        body = {
            "code": f"{slug(name)}-{product}",
            "translations": await self._texts(name),
            "options": [
                {"code": slug(each), "translations": await self._texts(each)} for each in values
            ],
        }
        answer = await self._api.ask(CREATE_GROUP, dict[str, WireGroup], {"input": body})
        group = answer["createProductOptionGroup"]
        given = {"product": product, "group": group.id}
        await self._api.ask(ADD_GROUP, dict[str, WireId], given)
        return group

    async def _make_option(self, group: str, value: str) -> str:
        body = {
            "productOptionGroupId": group,
            "code": slug(value),
            "translations": await self._texts(value),
        }
        answer = await self._api.ask(CREATE_OPTION, dict[str, WireOption], {"input": body})
        return answer["createProductOption"].id

    async def _texts(self, name: str) -> list[dict[str, str]]:
        language = (await self._loader.shop()).language
        return [{"languageCode": language, "name": name}]
