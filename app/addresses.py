"""Which addresses of the internet a webhook may be sent to. Pure.

An address inside the network of the service would let whoever sets up a webhook talk to what only
the service can reach.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address

_TRANSLATED = IPv6Network("64:ff9b::/96")
"""Addresses of IPv4 as a NAT64 gateway writes them."""


def is_public(address: Address) -> bool:
    """Whether an address, and what it may stand for, is of the open internet."""
    inner = _inner(address)
    if inner is not None:
        return is_public(inner)
    return address.is_global and not address.is_multicast


def literal(host: str) -> Address | None:
    """The address that a host name spells out, None for a name."""
    try:
        return ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return None


def _inner(address: Address) -> IPv4Address | None:
    """The IPv4 address inside one of IPv6, where there is one."""
    if isinstance(address, IPv4Address):
        return None
    if address in _TRANSLATED:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None)
