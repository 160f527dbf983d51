"""Facets and their values by name, found or made: the words that products and collections share."""

from __future__ import annotations

import asyncio
import re
import unicodedata
from collections.abc import Iterable
from typing import Any, NamedTuple, cast

from connectors.records import Stream
from connectors.vendure.api import Api, GoneError, TakenError, decoder
from connectors.vendure.documents_writing import (
    CREATE_FACET,
    CREATE_VALUE,
    FACETS,
    UPDATE_COLLECTION,
    VALUES,
)
from connectors.vendure.loading import Loader
from connectors.vendure.mapping_products import BY_FACET
from connectors.vendure.parts import OUR_FACET
from connectors.vendure.wire import Listed, Wire, WireCollection, WireId, WireNamed

_TAKE = 100
_SEEN = 0.25
"""Seconds after which everybody sees what somebody has made."""


class Words(NamedTuple):
    """Values of one facet, by their names. The facet goes by `code`, where it has one."""

    facet: str
    values: tuple[str, ...]
    code: str = ""
    private: bool = False


class _Value(Wire):
    id: str
    name: str
    code: str
    facet_id: str


def slug(text: str) -> str:
    """A text as a code: small letters and digits of ASCII, with hyphens.

    >>> slug("Größe & Farbe")
    'groe-farbe'
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-") or f"u{text.encode().hex()[:60]}"


class FacetBook:
    """Facets of one store. What was found once is remembered; makers go one at a time."""

    def __init__(self, api: Api, loader: Loader) -> None:
        self._api = api
        self._loader = loader
        self._facets: dict[tuple[str, bool], str] = {}
        self._values: dict[tuple[str, str], str] = {}
        self._making = asyncio.Lock()

    async def prepare(self, words: Iterable[Words]) -> None:
        """Find or make values that are needed soon, so that another worker who makes the same ones
        in the same moment ends up with the same: Vendure takes doubles. Raises `StoreError`.
        """
        made: list[tuple[str, str]] = []
        async with self._making:
            for each in words:
                if not each.values:
                    continue
                facet = await self._facet(each.facet, each.code, private=each.private)
                for name in each.values:
                    if (facet, name) not in self._values:
                        found = await self._look_up_value(facet, name, "")
                        if found is None:
                            found = await self._make_value(facet, name, "")
                            made.append((facet, name))
                        self._values[facet, name] = found
            if made:
                # What both have made both see then, and each takes the older one.
                await self._api.http.pause(_SEEN)
            for facet, name in made:
                if found := await self._look_up_value(facet, name, ""):
                    self._values[facet, name] = found

    async def values(self, words: Words) -> list[str]:
        """The ids of some values of a facet. Raises `StoreError`."""
        if not words.values:
            return []
        async with self._making:
            facet = await self._facet(words.facet, words.code, private=words.private)
            return [await self._value(facet, each) for each in words.values]

    async def value_of(self, collection: str) -> str | None:
        """The value that puts products into a collection, made where there is none; None where the
        collection is not there.
        """
        async with self._making:
            members = await self._loader.members()
            found = _key_of(members, collection)
            if found is None:
                found = _key_of(await self._loader.members(anew=True), collection)
            return found or await self._admit(collection)

    async def _admit(self, collection: str) -> str | None:
        """Let a collection hold what has a value of its own, beside what its filters let in."""
        rows = await self._loader.by_ids(Stream.CATEGORIES, [collection])
        if not rows:
            return None
        row: WireCollection = decoder(WireCollection).decode(rows[0])
        facet = await self._facet("Collections", OUR_FACET, private=True)
        value = await self._value(facet, row.name, code=f"collection-{collection}")
        filters = [
            {
                "code": each.code,
                "arguments": [{"name": arg.name, "value": arg.value} for arg in each.args],
            }
            for each in row.filters
        ]
        body = {"id": collection, "filters": [*filters, by_value(value, alone=not filters)]}
        try:
            await self._api.ask(UPDATE_COLLECTION, dict[str, WireId], {"input": body})
        except GoneError:
            return None
        await self._loader.members(anew=True)
        return value

    async def _facet(self, name: str, code: str = "", *, private: bool) -> str:
        known = self._facets.get((code or name, private))
        if known is None:
            known = await self._found_facet(name, code, private=private)
            self._facets[code or name, private] = known
        return known

    async def _found_facet(self, name: str, code: str, *, private: bool) -> str:
        """The id of a facet by its code, or else by its name; made where there is none."""
        wanted = {"code": {"eq": code}} if code else {"name": {"eq": name}}
        if found := await self._look_up_facet(wanted, private=private):
            return found
        language = (await self._loader.shop()).language
        made = code or f"{slug(name)}{'-private' if private else ''}"
        body = {
            "code": made,
            "isPrivate": private,
            "translations": [{"languageCode": language, "name": name}],
        }
        try:
            answer = await self._api.ask(CREATE_FACET, dict[str, WireId], {"input": body})
        except TakenError:
            # Somebody made it in the same moment, or the code is that of a facet named otherwise.
            found = await self._look_up_facet({"code": {"eq": made}}, private=None)
            if found is None:
                raise
            return found
        # Vendure gives a second one another code: the older one is everybody's.
        await self._api.http.pause(_SEEN)
        return await self._look_up_facet(wanted, private=private) or answer["createFacet"].id

    async def _look_up_facet(self, wanted: dict[str, Any], *, private: bool | None) -> str | None:
        if private is not None:
            wanted = {**wanted, "isPrivate": {"eq": private}}
        options = {"filter": wanted, "sort": {"id": "ASC"}, "take": 1}
        answer = await self._ask_list(FACETS, WireNamed, options)
        return answer[0].id if answer else None

    async def _value(self, facet: str, name: str, *, code: str = "") -> str:
        known = self._values.get((facet, code or name))
        if known is None:
            known = await self._found_value(facet, name, code)
            self._values[facet, code or name] = known
        return known

    async def _found_value(self, facet: str, name: str, code: str) -> str:
        """The oldest value of this name, or code; made where there is none."""
        if found := await self._look_up_value(facet, name, code):
            return found
        made = await self._make_value(facet, name, code)
        return await self._look_up_value(facet, name, code) or made

    async def _make_value(self, facet: str, name: str, code: str) -> str:
        language = (await self._loader.shop()).language
        body = {
            "facetId": facet,
            "code": code or slug(name),
            "translations": [{"languageCode": language, "name": name}],
        }
        answer = await self._api.ask(CREATE_VALUE, dict[str, WireId], {"input": body})
        return answer["createFacetValue"].id

    async def _look_up_value(self, facet: str, name: str, code: str) -> str | None:
        wanted = {"code": {"eq": code}} if code else {"name": {"eq": name}}
        options = {
            "filter": {"facetId": {"eq": facet}, **wanted},
            "sort": {"id": "ASC"},
            "take": _TAKE,
        }
        for each in await self._ask_list(VALUES, _Value, options):
            # Some databases compare without case.
            if (each.code == code) if code else (each.name == name):
                return str(each.id)
        return None

    async def _ask_list(self, document: Any, kind: type[Any], options: dict[str, Any]) -> list[Any]:
        listed = cast("Any", dict[str, Listed[kind]])  # type: ignore[valid-type]
        answer = await self._api.ask(document, listed, {"options": options})
        [found] = answer.values()
        items: list[Any] = found.items
        return items


def by_value(value: str, *, alone: bool) -> dict[str, Any]:
    """The filter that lets in what has a facet value; beside others it lets in more."""
    arguments = {
        "facetValueIds": f'["{value}"]',
        "containsAny": "false",
        "combineWithAnd": "true" if alone else "false",
    }
    return {
        "code": BY_FACET,
        "arguments": [{"name": name, "value": text} for name, text in arguments.items()],
    }


def _key_of(members: dict[str, str], collection: str) -> str | None:
    return next((value for value, each in members.items() if each == collection), None)
