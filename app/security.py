"""Secrets: store credentials at rest, and API keys."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import os
import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from app.settings import Settings

SCOPES = ("read", "run", "admin")


class VaultError(RuntimeError):
    """No configured key opens these credentials, or a key has not the right form."""


class Vault:
    """Encrypts store credentials and personal data. The first key encrypts, every key decrypts:
    put a new key in front, run `recent-sync keys rotate`, then drop the old one.
    """

    def __init__(self, keys: list[str]) -> None:
        try:
            self._fernet = MultiFernet([Fernet(key) for key in keys])
        except (ValueError, TypeError):
            raise VaultError("an encryption key is 32 bytes in URL-safe base64") from None

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """With `key_texts`."""
        return cls(key_texts(settings))

    def seal(self, document: dict[str, Any]) -> bytes:
        """Ciphertext of a JSON object."""
        return self.seal_bytes(json.dumps(document).encode())

    def seal_bytes(self, plain: bytes) -> bytes:
        """Ciphertext of anything."""
        return self._fernet.encrypt(plain)

    def open(self, sealed: bytes) -> dict[str, Any]:
        """The JSON object. Raises `VaultError` where no key fits."""
        opened: dict[str, Any] = json.loads(self.open_bytes(sealed))
        return opened

    def open_bytes(self, sealed: bytes) -> bytes:
        """What `seal_bytes` was given. Raises `VaultError` where no key fits."""
        try:
            return self._fernet.decrypt(sealed)
        except InvalidToken:
            raise VaultError("no configured key opens these credentials") from None

    def rotate(self, sealed: bytes) -> bytes:
        """The same content under the first key. Raises `VaultError`."""
        try:
            return self._fernet.rotate(sealed)
        except InvalidToken:
            raise VaultError("no configured key opens these credentials") from None


def key_texts(settings: Settings) -> list[str]:
    """The keys of the settings, else a key kept in the data folder, made when missing."""
    if settings.encryption_keys is not None:
        given = settings.encryption_keys.get_secret_value().split(",")
        return [key.strip() for key in given if key.strip()]
    if settings.data_dir is None:
        raise VaultError("RECENT_SYNC_ENCRYPTION_KEYS or RECENT_SYNC_DATA_DIR is needed")
    return [_kept_key(settings.data_dir / "encryption.key")]


def _kept_key(path: Path) -> str:
    """The key in a file of this user alone. Of two processes that make one, both use the first."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent) as draft:
            draft.write(Fernet.generate_key().decode())
            draft.flush()
            # A link appears whole or not at all, and never replaces what is there.
            with contextlib.suppress(FileExistsError):
                os.link(draft.name, path)
    return path.read_text().strip()


@dataclass(frozen=True, slots=True)
class NewKey:
    """A fresh API key. `text` is shown once; `prefix` names it, `digest` is what is stored."""

    text: str
    prefix: str
    digest: bytes


def new_api_key() -> NewKey:
    """`rs_<prefix>_<secret>`: 40 random bits to find it, 256 to prove it."""
    prefix = secrets.token_hex(5)
    body = secrets.token_urlsafe(32)
    return NewKey(f"rs_{prefix}_{body}", prefix, key_digest(body))


def split_api_key(text: str) -> tuple[str, str] | None:
    """Prefix and secret of a key's text, None where it is no key."""
    match text.split("_", 2):
        case ["rs", prefix, body] if prefix and body:
            return prefix, body
        case _:
            return None


def key_digest(body: str) -> bytes:
    """SHA-256 suffices: the secret has 256 random bits, there is nothing to guess."""
    return hashlib.sha256(body.encode()).digest()


def same_digest(one: bytes, other: bytes) -> bool:
    """Comparison in constant time."""
    return hmac.compare_digest(one, other)
