"""One POST to a webhook's endpoint: to an address that was checked, and nowhere else.

The name is looked up here, and the connection goes to the address that was looked at: another
look-up could answer differently. Redirects are not followed, and of the answer the status alone is
read.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx

from app.addresses import Address, is_public, literal

SECONDS = 15.0
"""How long an endpoint has to answer, from the look-up of its name on."""

_CONNECT_SECONDS = 5.0
_PORTS = {"http": 80, "https": 443}
_LONGEST_PAUSE = 86_400


@dataclass(frozen=True, slots=True)
class Outcome:
    """`status` of the answer, or the stable `code` of what went wrong before there was one.
    `retry_after`: seconds for which the endpoint asks.
    """

    status: int | None = None
    code: str | None = None
    retry_after: float = 0.0

    @property
    def delivered(self) -> bool:
        """Whether the endpoint took it."""
        return self.status is not None and httpx.codes.is_success(self.status)

    @property
    def gone(self) -> bool:
        """Whether the endpoint says that it wants nothing any more."""
        return self.status == httpx.codes.GONE


class Poster:
    """Posts. `private` lets it talk to addresses inside our network too."""

    def __init__(self, client: httpx.AsyncClient, *, private: bool) -> None:
        self._client = client
        self._private = private

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        """Send once. Raises nothing: whatever happens is an outcome."""
        try:
            async with asyncio.timeout(SECONDS):
                return await self._post(httpx.URL(url), headers, body)
        except (httpx.InvalidURL, ValueError):
            return Outcome(code="invalid_url")
        except (TimeoutError, httpx.TimeoutException):
            return Outcome(code="timed_out")
        except socket.gaierror:
            return Outcome(code="name_not_found")
        except (httpx.HTTPError, OSError):
            return Outcome(code="connection_failed")

    async def _post(self, url: httpx.URL, headers: Mapping[str, str], body: bytes) -> Outcome:
        if url.scheme != "https" and not self._private:
            return Outcome(code="not_https")
        address = await self._checked(url)
        if address is None:
            return Outcome(code="address_not_public")
        request = self._client.build_request(
            "POST",
            url.copy_with(host=str(address)),
            content=body,
            headers={**headers, "Host": url.netloc.decode("ascii")},
            # The certificate has to be of the name, although we connect to an address.
            extensions={"sni_hostname": url.raw_host.decode("ascii")},
        )
        answer = await self._client.send(request, stream=True)
        await answer.aclose()
        return Outcome(answer.status_code, retry_after=_retry_after(answer.headers))

    async def _checked(self, url: httpx.URL) -> Address | None:
        """An address of the host to which we may connect, None where it has none."""
        port = url.port or _PORTS.get(url.scheme, 443)
        found = await asyncio.get_running_loop().getaddrinfo(
            url.host, port, type=socket.SOCK_STREAM
        )
        addresses = [literal(str(each[4][0])) for each in found]
        allowed = (each for each in addresses if each and (self._private or is_public(each)))
        return next(allowed, None)


@asynccontextmanager
async def poster(*, private: bool) -> AsyncIterator[Poster]:
    """A poster for as long as a worker runs."""
    async with httpx.AsyncClient(
        timeout=httpx.Timeout(SECONDS, connect=_CONNECT_SECONDS),
        follow_redirects=False,
        # A proxy would look the name up again. A kept connection would be found by its address,
        # and might have been opened for another name.
        trust_env=False,
        limits=httpx.Limits(max_keepalive_connections=0),
    ) as client:
        yield Poster(client, private=private)


def _retry_after(headers: httpx.Headers) -> float:
    text = headers.get("retry-after", "")
    # A date would need the endpoint's clock; our own intervals do then.
    return float(min(int(text[:9]), _LONGEST_PAUSE)) if text.isascii() and text.isdigit() else 0.0
