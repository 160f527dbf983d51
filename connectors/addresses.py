"""Addresses of stores, as people enter them."""

from __future__ import annotations

from urllib.parse import urlsplit


def shop_address(value: str, *, suffix: str = "") -> str:
    """An http or https address without user, query and fragment, without `suffix` and a last slash.

    Raises `ValueError` with what is wrong; the value is not in it.
    """
    try:
        parts = urlsplit(value.strip())
        port_is_valid = parts.port is None or parts.port > 0
    except ValueError:
        raise ValueError("is not a valid address") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_is_valid:
        raise ValueError("must be an http or https address with a host")
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not hold a user or a password")
    if parts.query or parts.fragment:
        raise ValueError("must not hold a query or a fragment")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/').removesuffix(suffix)}"
