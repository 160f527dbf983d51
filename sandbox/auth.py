"""Who may call: Basic over https, OAuth 1.0a over plain http, as WooCommerce has it."""

import base64
import binascii
import hmac
from collections import deque
from typing import Any
from urllib.parse import unquote

from oauthlib.oauth1.rfc5849 import signature

from sandbox.store import Key, Store
from sandbox.wire import ApiError, Request

_WINDOW = 15 * 60
_REMEMBERED = 20_000
_NEEDED = (
    "oauth_consumer_key",
    "oauth_timestamp",
    "oauth_nonce",
    "oauth_signature",
    "oauth_signature_method",
)
_REFUSED = {
    "GET": ("woocommerce_rest_cannot_view", "Sorry, you cannot list resources."),
    "POST": ("woocommerce_rest_cannot_create", "Sorry, you are not allowed to create resources."),
    "PUT": ("woocommerce_rest_cannot_edit", "Sorry, you are not allowed to edit this resource."),
    "DELETE": (
        "woocommerce_rest_cannot_delete",
        "Sorry, you are not allowed to delete this resource.",
    ),
}


class Gate:
    """Lets requests with a good key through."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._keys = {key.key: key for key in store.config.keys}
        self._nonces: set[tuple[str, str]] = set()
        self._order: deque[tuple[str, str]] = deque()

    def check(self, request: Request) -> None:
        """Raise a 401 unless the request carries a key that may do this."""
        key = self._basic(request) if request.https else None
        if key is None:
            key = self._oauth(request)
        if key is None:
            code, message = _REFUSED.get(request.method, _REFUSED["PUT"])
            raise ApiError(401, code, message)
        needed = "read" if request.method in ("GET", "HEAD") else "write"
        if needed not in key.permissions:
            raise _wrong(f"The API key provided does not have {needed} permissions.")

    def _basic(self, request: Request) -> Key | None:
        given = _basic_pair(request)
        if given is None:
            return None
        key = self._keys.get(given[0])
        if key is None:
            raise _wrong("Consumer key is invalid.")
        if not hmac.compare_digest(key.secret.encode(), given[1].encode()):
            raise _wrong("Consumer secret is invalid.")
        return key

    def _oauth(self, request: Request) -> Key | None:
        authorization = request.headers.get("authorization", "")
        header = {"Authorization": authorization} if authorization.startswith("OAuth ") else {}
        pairs = signature.collect_parameters(
            uri_query=request.raw_query, headers=header, exclude_oauth_signature=False
        )
        given = dict(pairs)
        absent = [name for name in _NEEDED if not given.get(name)]
        if len(absent) == len(_NEEDED):
            return None
        if absent:
            raise _wrong(f"Missing OAuth parameters: {', '.join(absent)}")
        key = self._keys.get(given["oauth_consumer_key"])
        if key is None:
            raise _wrong("Consumer key is invalid.")
        self._check_signature(request, pairs, given, key)
        self._check_fresh(given)
        return key

    def _check_signature(
        self, request: Request, pairs: list[tuple[str, str]], given: dict[str, str], key: Key
    ) -> None:
        method = given["oauth_signature_method"].upper()
        digest = {"HMAC-SHA256": "sha256", "HMAC-SHA1": "sha1"}.get(method)
        if digest is None:
            raise _wrong("Invalid signature - signature method is invalid.")
        signed = [pair for pair in pairs if pair[0] != "oauth_signature"]
        scheme = "https" if request.https else "http"
        address = signature.base_string_uri(f"{scheme}://{request.host}{request.path}")
        # The library's stubs are narrower than what it takes.
        method_name: Any = request.method
        parameters: Any = signed
        base = signature.signature_base_string(
            method_name, address, signature.normalize_parameters(parameters)
        )
        mac = hmac.new(f"{key.secret}&".encode(), base.encode(), digest).digest()
        expected = base64.b64encode(mac).decode()
        if not hmac.compare_digest(expected, given["oauth_signature"]):
            raise _wrong("Invalid signature - provided signature does not match.")

    def _check_fresh(self, given: dict[str, str]) -> None:
        stamp = given["oauth_timestamp"]
        if not stamp.isdigit() or abs(int(stamp) - self._store.clock.now()) > _WINDOW:
            raise _wrong("Invalid timestamp.")
        seen = (stamp, given["oauth_nonce"])
        if seen in self._nonces:
            raise _wrong("Invalid nonce - nonce has already been used.")
        self._nonces.add(seen)
        self._order.append(seen)
        if len(self._order) > _REMEMBERED:
            self._nonces.discard(self._order.popleft())


def _basic_pair(request: Request) -> tuple[str, str] | None:
    if request.query.get("consumer_key") and request.query.get("consumer_secret"):
        return request.query.get("consumer_key"), request.query.get("consumer_secret")
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (unquote(name), secret) if name and secret else None


def _wrong(message: str) -> ApiError:
    return ApiError(401, "woocommerce_rest_authentication_error", message)
