"""What routes need, as typed aliases."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Header, Path, Query, Request, Security
from fastapi.security import HTTPBearer, SecurityScopes

from app.errors import InvalidRequest, MissingScope
from app.resources import Resources
from app.schemas.values import Slug, StoreName
from app.services.api_keys import Caller
from app.services.idempotency import Once, fingerprint
from app.services.transaction import Work, transaction

LONGEST_WAIT = 60
_bearer = HTTPBearer(
    scheme_name="apiKey",
    description="An API key, `rs_...`. Scopes: `admin` includes `run` includes `read`.",
    auto_error=False,
)


def resources(request: Request) -> Resources:
    """What the process was given when it started."""
    given: Resources = request.app.state.resources
    return given


def caller(
    request: Request, scopes: SecurityScopes, _: Annotated[object, Depends(_bearer)]
) -> Caller:
    """Who asks, with the scope that the route wants. Raises `MissingScope`."""
    asking: Caller = request.state.caller
    for scope in scopes.scopes:
        demand(asking, scope)
    return asking


def demand(asking: Caller, scope: str) -> None:
    """Raises `MissingScope` where the key has not the scope that a part of a request needs."""
    if scope not in asking.scopes:
        challenge = f'Bearer realm="recent-sync", error="insufficient_scope", scope="{scope}"'
        raise MissingScope(
            f"This needs the scope `{scope}`.",
            headers={"WWW-Authenticate": challenge},
            extra={"scope": scope},
        )


async def work(given: Opened) -> AsyncIterator[Work]:
    """The request's transaction; it is committed before the answer is sent."""
    async with transaction(given) as ours:
        yield ours


async def once(
    request: Request,
    asking: Annotated[Caller, Depends(caller)],
    given: Opened,
    idempotency_key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            pattern=r"^[ -~]{1,255}$",
            description="A name of your choice for this very request. Sent again within 24 hours "
            "with the same body, the first answer comes again and nothing is made twice.",
            examples=["8e03978e-40d5-43e8-bc93-6894a57f9324"],
        ),
    ] = None,
) -> Once:
    """The request as one that is answered once for its `Idempotency-Key`."""
    key = idempotency_key
    if key is not None:
        # The draft standard writes the key as a quoted string; many callers leave that out.
        key = key[1:-1] if len(key) > 1 and key[0] == key[-1] == '"' else key
        if not key.strip():
            detail = "The key is empty."
            place = {"in": "header", "parameter": "Idempotency-Key", "detail": detail}
            raise InvalidRequest(errors=[place])
    asked = fingerprint(request.method, request.url.path, await request.body())
    return Once(given, asking.id, key, asked)


def wait(
    prefer: Annotated[
        list[str] | None,
        Header(
            alias="Prefer",
            description=f"`wait=N`: answer later, once something happened, but within N seconds "
            f"(at most {LONGEST_WAIT}).",
            examples=[["wait=30"]],
        ),
    ] = None,
) -> int | None:
    """Seconds the caller likes to wait (RFC 7240); what cannot be understood is ignored."""
    for preference in ",".join(prefer or []).split(","):
        name, _, value = preference.split(";")[0].partition("=")
        digits = value.strip().strip('"')
        if name.strip().lower() == "wait" and digits.isascii() and digits.isdigit():
            return min(int(digits[:9]), LONGEST_WAIT)
    return None


Opened = Annotated[Resources, Depends(resources)]
Reader = Annotated[Caller, Security(caller, scopes=["read"])]
Runner = Annotated[Caller, Security(caller, scopes=["run"])]
Admin = Annotated[Caller, Security(caller, scopes=["admin"])]
OneTransaction = Annotated[Work, Depends(work, scope="function")]
OneAnswer = Annotated[Once, Depends(once)]
Wait = Annotated[int | None, Depends(wait)]

Limit = Annotated[int, Query(ge=1, le=200, description="How many items a page holds.")]
Cursor = Annotated[
    str | None, Query(max_length=2000, description="`next` of the page before this one.")
]
StoreInPath = Annotated[StoreName, Path(description="Name or id.", examples=["old-shop"])]
MigrationInPath = Annotated[Slug, Path(description="Slug or id.", examples=["spring-launch"])]
