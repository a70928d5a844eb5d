"""Sealing of what must not be readable at rest: interaction tokens and servers' API keys. The only file with Fernet."""

from __future__ import annotations

import hmac
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from bot.adapters.files.once import write_once
from bot.ports import CannotStart

KEY_FILE = "secret.key"


class BadSecretKey(CannotStart):
    """A key is not a Fernet key. The text says which one by its place, never what it is."""


class Secrets:
    """Seals with the first key and opens with any of them, so that a new key can be put in front of an old one."""

    def __init__(self, keys: tuple[str, ...]) -> None:
        if not keys:
            raise BadSecretKey("SECRET_KEY is empty.")
        fernets = []
        for number, key in enumerate(keys, 1):
            try:
                fernets.append(Fernet(key))
            except ValueError:
                raise BadSecretKey(
                    f"Key {number} of SECRET_KEY is not a Fernet key (44 characters of URL-safe base64). Make one: "
                    'python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'
                ) from None
        self._fernet = MultiFernet(fernets)
        self._tag_key = hmac.digest(keys[-1].encode(), b"easel member tag", "sha256")

    def seal(self, text: str) -> str:
        return self._fernet.encrypt(text.encode()).decode("ascii")

    def tag(self, user_id: int) -> str:
        """A keyed hash of a person's id, the same for as long as the oldest key stays: for abuse checks."""
        return hmac.new(self._tag_key, str(user_id).encode(), "sha256").hexdigest()[:32]

    def open(self, sealed: str) -> str | None:
        """The text again; None if no key fits or it was altered."""
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken:
            return None


def load_secrets(secret_key: str | None, data_dir: Path) -> Secrets:
    """Secrets from ``SECRET_KEY`` (comma separated, the first one seals), else from a key file made in ``data_dir``.

    With both, the file's key still opens what was sealed before ``SECRET_KEY`` was set. Raises ``CannotStart``.
    """
    path = data_dir / KEY_FILE
    keys = [key.strip() for key in (secret_key or "").split(",") if key.strip()]
    try:
        if path.exists():
            keys.extend(path.read_text("ascii", errors="replace").split())
        elif not keys:
            keys.append(write_once(path, Fernet.generate_key().decode("ascii")))
    except OSError as error:
        raise CannotStart(f"DATA_DIR: {path} cannot be read or written ({error.strerror}).") from error
    return Secrets(tuple(keys))
