"""The GraphQL documents that redirect old paths. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from connectors.shopify.api import Document

REDIRECTS = Document(
    "query Redirects($search:String!,$after:String){urlRedirects(first:100,query:$search,"
    "after:$after,sortKey:ID){nodes{path target} pageInfo{hasNextPage endCursor}}}",
    cost=102,
)
NEWEST = Document(
    "query NewestRedirects{urlRedirects(first:100,sortKey:ID,reverse:true)"
    "{nodes{path target} pageInfo{hasNextPage endCursor}}}",
    cost=102,
)
"""What a search may not find yet: a list without one does not wait for an index."""

LIVE_PAGES = Document(
    "query LivePages($handle:String!){"
    "product:productByIdentifier(identifier:{handle:$handle})"
    "{status resourcePublicationsCount{count}}"
    "collection:collectionByIdentifier(identifier:{handle:$handle})"
    "{resourcePublicationsCount{count}}}"
)
REDIRECT = Document(
    "mutation Redirect($redirect:UrlRedirectInput!){urlRedirectCreate(urlRedirect:$redirect)"
    "{urlRedirect{id} userErrors{field message code}}}"
)
"""May be sent twice: a path has one redirect, and the second one is refused."""

STAGE = Document(
    "mutation Stage($files:[StagedUploadInput!]!){stagedUploadsCreate(input:$files)"
    "{stagedTargets{url resourceUrl parameters{name value}} userErrors{field message}}}"
)
_IMPORT = "{id finished count createdCount updatedCount failedCount previewRedirects{path target}}"
IMPORT = Document(
    "mutation ImportRedirects($file:URL!){urlRedirectImportCreate(url:$file)"
    f"{{urlRedirectImport{_IMPORT} userErrors{{field message code}}}}}}"
)
"""May be sent twice: an import that is not submitted does nothing."""

SUBMIT = Document(
    "mutation SubmitImport($id:ID!){urlRedirectImportSubmit(id:$id)"
    "{job{id} userErrors{field message code}}}"
)
"""May be sent twice: an import runs once, and the second one is refused."""

IMPORT_STATE = Document(f"query ImportState($id:ID!){{urlRedirectImport(id:$id){_IMPORT}}}")


def all_documents() -> Iterator[tuple[str, Document]]:
    """Every document that is sent for redirects, by a name."""
    yield from (
        ("redirects", REDIRECTS),
        ("newest redirects", NEWEST),
        ("live pages", LIVE_PAGES),
        ("redirect", REDIRECT),
        ("stage a file", STAGE),
        ("import redirects", IMPORT),
        ("submit an import", SUBMIT),
        ("import state", IMPORT_STATE),
    )
