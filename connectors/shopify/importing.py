"""Importing redirects in bulk: a file, an import of it, and how that ends.

An import is made of a file first, shows the first rows as it understood them, and runs when it is
submitted. It answers with numbers alone, so that what stands at a path has to be read again; and it
overwrites what it finds there, so that whoever submits one looks first.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Awaitable, Callable, Sequence

from connectors.errors import BadAnswer, TryLater, Unreachable
from connectors.redirects import Redirect
from connectors.shopify.api import Api, decoder
from connectors.shopify.changing import RefusedInput, change
from connectors.shopify.documents_redirects import IMPORT, IMPORT_STATE, SUBMIT
from connectors.shopify.files import Files
from connectors.shopify.paths import key, plain, same_target
from connectors.shopify.wire import Wire

# Seconds that are waited before each look, for the first rows to be shown and for the end.
_PREVIEW = (0.0, 0.5, 1.0, 2.0)
_RUN = (0.5, 1.0, 2.0, 4.0, 5.0, 5.0, 5.0, 5.0)
# What a submission is refused with that was sent before.
_SUBMITTED = frozenset({"ALREADY_IMPORTED", "IN_PROGRESS"})


class NoImportError(BadAnswer):
    """The store imports nothing, or not what we mean: nothing was changed."""

    default_code = "import_failed"


class _Row(Wire):
    path: str
    target: str


class Import(Wire):
    """An import of redirects. The counts are known at its end."""

    id: str
    finished: bool = False
    count: int | None = None
    created_count: int | None = None
    updated_count: int | None = None
    failed_count: int | None = None
    preview_redirects: list[_Row] = []  # noqa: RUF012  msgspec copies it

    @property
    def is_whole(self) -> bool:
        """Whether every row of the file stands in the store, by the import's own counts."""
        stands = (self.created_count or 0) + (self.updated_count or 0)
        return self.finished and self.failed_count == 0 and stands == self.count


class Importer:
    """Runs imports on one store."""

    def __init__(self, api: Api, files: Files) -> None:
        self._api = api
        self._files = files

    async def run(
        self, redirects: Sequence[Redirect], look_again: Callable[[], Awaitable[bool]]
    ) -> Import | None:
        """The import of these at its end; None where `look_again`, which is asked at the last
        moment, says that something else has to be done first.

        Raises `NoImportError` where nothing was changed, `TryLater` with the code
        `store_importing` where the import is still under way after half a minute, and
        `StoreError`.
        """
        made = await self._create(redirects)
        if not await look_again():
            return None
        try:
            await change(self._api, SUBMIT, {"id": made.id})
        except RefusedInput as error:
            if not error.codes & _SUBMITTED:
                raise NoImportError("the store does not run the import of redirects") from None
        for pause in _RUN:
            await self._api.http.pause(pause)
            state = await self._state(made.id)
            if state.finished:
                return state
        raise TryLater("the store is still importing redirects", after=30.0, code="store_importing")

    async def _create(self, redirects: Sequence[Redirect]) -> Import:
        """An import that is understood as it is meant."""
        try:
            file = await self._files.put_redirects(table(redirects))
        except (BadAnswer, RefusedInput, Unreachable):
            # Files lie with another host, which a network may not let us reach.
            raise NoImportError("the store does not take a file of redirects") from None
        try:
            answer = await change(self._api, IMPORT, {"file": file})
        except RefusedInput:
            raise NoImportError("the store does not import a file of redirects") from None
        made: Import | None = decoder(Import | None).decode(answer["urlRedirectImport"])
        if made is None:
            raise NoImportError("the store makes no import of a file of redirects")
        for pause in _PREVIEW:
            if made.preview_redirects:
                break
            await self._api.http.pause(pause)
            made = await self._state(made.id)
        _require_understood(made, redirects)
        return made

    async def _state(self, identity: str) -> Import:
        answer = await self._api.ask(IMPORT_STATE, dict[str, Import | None], {"id": identity})
        found = answer["urlRedirectImport"]
        if found is None:
            raise BadAnswer("the import of redirects is not there any more")
        return found


def table(redirects: Sequence[Redirect]) -> bytes:
    """The file of an import: Shopify's own two columns."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("Redirect from", "Redirect to"))
    writer.writerows((plain(each.path), each.target) for each in redirects)
    return text.getvalue().encode()


def _require_understood(made: Import, redirects: Sequence[Redirect]) -> None:
    """Raise `NoImportError` unless the rows that the import shows are ours."""
    meant = {key(each.path): each.target for each in redirects}
    shown = made.preview_redirects
    right = all(
        key(each.path) in meant and same_target(each.target, meant[key(each.path)])
        for each in shown
    )
    if not shown or not right:
        raise NoImportError("the store does not show the redirects that it is to import")
