"""Signed verdicts: a JWT (RFC 7519) with an Ed25519 signature (`EdDSA`, RFC 8037).

Whoever has the public key can tell, without us, that a verdict is ours and whole, and whether its
time has passed. Key ids are thumbprints (RFC 7638), so that the same key has the same id anywhere.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.security import key_texts
from app.settings import Settings

ISSUER = "recent-sync"
_ALGORITHM = "EdDSA"
_SEED_BYTES = 32
_PURPOSE = b"recent-sync verdicts, Ed25519, 1"


class NotSignedError(ValueError):
    """A document is not what one of the known keys has signed."""


class OutOfTimeError(NotSignedError):
    """It is signed, and its time has passed."""


class Signer:
    """Signs with the first of its keys; publishes all of them."""

    def __init__(self, seeds: list[bytes]) -> None:
        self._keys = [Ed25519PrivateKey.from_private_bytes(each) for each in seeds]

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Raises `VaultError` where no key is known at all."""
        if settings.signing_key is not None:
            given = settings.signing_key.get_secret_value().split(",")
            return cls([base64.urlsafe_b64decode(each.strip()) for each in given if each.strip()])
        return cls([_derived(each) for each in key_texts(settings)])

    def sign(
        self, document: Mapping[str, Any], *, subject: str, at: datetime, until: datetime
    ) -> str:
        """A compact JWT with the document as its claim `verdict`."""
        claims = {"iss": ISSUER, "sub": subject, "iat": at, "exp": until, "verdict": document}
        public = _public(self._keys[0])
        return jwt.encode(
            claims, self._keys[0], algorithm=_ALGORITHM, headers={"kid": public["kid"]}
        )

    def published(self) -> dict[str, Any]:
        """The public keys as a JWK set (RFC 7517)."""
        return {"keys": [_public(each) for each in self._keys]}


def read_signed(token: str, keys: Mapping[str, Any]) -> dict[str, Any]:
    """The claims of a token that one of these keys has signed: a JWK, or a set of them.

    Raises `NotSignedError`, `OutOfTimeError`.
    """
    try:
        known = jwt.PyJWKSet.from_dict(dict(keys) if "keys" in keys else {"keys": [dict(keys)]})
        key = known[jwt.get_unverified_header(token)["kid"]]
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[_ALGORITHM],
            issuer=ISSUER,
            # A clock that is some seconds behind ours makes no verdict wrong.
            options={"require": ["exp", "iat", "sub", "verdict"], "verify_iat": False},
        )
    except jwt.ExpiredSignatureError:
        raise OutOfTimeError("its time has passed") from None
    except (jwt.PyJWTError, KeyError, TypeError, ValueError):
        raise NotSignedError("none of the keys has signed it") from None
    return claims


def _derived(key: str) -> bytes:
    """A seed from an encryption key, by HKDF (RFC 5869): neither can be reckoned from the other."""
    hkdf = HKDF(algorithm=SHA256(), length=_SEED_BYTES, salt=None, info=_PURPOSE)
    return hkdf.derive(key.encode())


def _public(key: Ed25519PrivateKey) -> dict[str, Any]:
    raw = key.public_key().public_bytes_raw()
    named = {"crv": "Ed25519", "kty": "OKP", "x": _base64(raw)}
    canonical = json.dumps(named, separators=(",", ":"), sort_keys=True).encode()
    thumbprint = _base64(hashlib.sha256(canonical).digest())
    return {**named, "kid": thumbprint, "alg": _ALGORITHM, "use": "sig"}


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
