"""What signs a webhook: one secret, and after a rotation for a while the one before it too."""

from __future__ import annotations

import base64
import secrets
from datetime import datetime
from typing import Any

from standardwebhooks import Webhook as Signer

from app.security import Vault

_BYTES = 32
_MOST = 2


def new_secret() -> str:
    """`whsec_` and 256 random bits, as Standard Webhooks writes it."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(_BYTES)).decode()


def sealed(vault: Vault, secret: str) -> bytes:
    """The secrets of a new endpoint."""
    return vault.seal({"secrets": [{"secret": secret, "until": None}]})


def rotated(vault: Vault, before: bytes, secret: str, until: datetime) -> bytes:
    """A new secret in front; the one that signed until now goes on until a moment."""
    kept = _all(vault, before)[: _MOST - 1]
    older = [{**each, "until": until.isoformat()} for each in kept]
    return vault.seal({"secrets": [{"secret": secret, "until": None}, *older]})


def active(vault: Vault, kept: bytes, at: datetime) -> list[str]:
    """The secrets that sign at a moment, the newest first. Raises `VaultError`."""
    return [
        each["secret"]
        for each in _all(vault, kept)
        if each["until"] is None or datetime.fromisoformat(each["until"]) > at
    ]


def signature_headers(
    active_secrets: list[str], message: str, at: datetime, body: str
) -> dict[str, str]:
    """The three headers of Standard Webhooks, with one signature a secret."""
    signatures = [Signer(each).sign(message, at, body) for each in active_secrets]
    return {
        "webhook-id": message,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def _all(vault: Vault, kept: bytes) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = vault.open(kept)["secrets"]
    return found
