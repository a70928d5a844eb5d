"""One function per kind of setting: text in, value out, or ``ValueError`` with a sentence that says what is allowed.

Law: a sentence quotes what was written only where that cannot be a secret.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from pathlib import Path
from urllib.parse import urlsplit

from bot.rules.money import MicroUSD, TokenPrices

MICRO = 1_000_000
DATABASE_KINDS = ("sqlite+aiosqlite:///data/easel.db", "postgresql+asyncpg://user:password@host/easel")


def word(text: str) -> str:
    """A name without blanks."""
    if re.search(r"\s", text) or not text.isprintable():
        raise ValueError("must be one word without blanks or line breaks.")
    return text


def notice(text: str) -> str:
    """A few words on one line; ``none`` is none at all."""
    if text.lower() == "none":
        return ""
    if len(text) > 100 or not text.isprintable():
        raise ValueError("must be one line of at most 100 characters, or none for no notice.")
    return text


def secret(text: str) -> str:
    """A key: never quoted, only looked at for what paste errors leave behind."""
    if text.startswith(("'", '"', "“", "„")) or re.search(r"\s", text) or not text.isascii() or not text.isprintable():
        raise ValueError("holds blanks, quotation marks or other characters a key never has. Copy it again.")
    return text


def discord_token(text: str) -> str:
    """A bot token, as Discord shows it."""
    if text.lower().startswith("bot "):
        raise ValueError('must be the token alone, without "Bot " before it.')
    return secret(text)


def url(text: str) -> str:
    """An http(s) address without a final slash."""
    try:
        parts = urlsplit(word(text))
        port_is_legal = parts.port is None or parts.port > 0
    except ValueError:
        port_is_legal = False
        parts = urlsplit("")
    if not port_is_legal or parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be an address that begins with https:// (or http://) and names a host.")
    if parts.username or parts.password:
        raise ValueError("must hold no user name and no password.")
    return text.rstrip("/")


def service_url(text: str) -> str:
    """The address below which a service has ``/images/…``: what comes after a ``?`` would end up in the middle."""
    if "?" in text or "#" in text:
        raise ValueError("must end with the path; for Azure it is https://<resource>.openai.azure.com/openai/v1.")
    return url(text)


def storage_endpoint(text: str) -> str:
    """The address of an object store; never the one at which clouds hand a machine its keys."""
    address = url(text)
    try:
        host = ipaddress.ip_address(urlsplit(address).hostname or "")
    except ValueError:
        return address
    if host.is_link_local or host.is_unspecified or host.is_multicast:
        raise ValueError("must be the address of an object store; this one never is.")
    return address


def bucket_url(text: str) -> str:
    """A bucket and a prefix in it, without a final slash."""
    match = re.fullmatch(r"((?i:s3|gs|az))://([a-z0-9][a-z0-9._-]{1,61}[a-z0-9])((?:/[A-Za-z0-9._=-]+)*)/?", text)
    if match is None or any(part in (".", "..") for part in match[3].split("/")):
        raise ValueError("must look like s3://bucket/prefix, gs://bucket/prefix or az://container/prefix.")
    return f"{match[1].lower()}://{match[2]}{match[3]}"


def snowflake(text: str) -> int:
    """A Discord id."""
    if not (text.isascii() and text.isdigit() and len(text) <= 20):
        raise ValueError(
            f"must be a server's id of 17 to 20 digits, not {_quoted(text)}. "
            "In Discord: Settings, Advanced, Developer Mode; then right-click the server, Copy ID."
        )
    return int(text)


def path(text: str) -> Path:
    if "\0" in text:
        raise ValueError("must be a path.")
    return Path(text).expanduser()


def readable_file(text: str) -> Path:
    """A file that is there."""
    file = path(text)
    if not file.is_file():
        raise ValueError(f"names a file that is not there: {_quoted(text)}.")
    return file


def whole(low: int, high: int) -> Callable[[str], int]:
    """A whole number from ``low`` to ``high``."""

    def parse(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) <= 18 and low <= int(text) <= high):
            raise ValueError(f"must be a whole number from {low} to {high}, not {_quoted(text)}.")
        return int(text)

    return parse


def whole_or_none(low: int, high: int) -> Callable[[str], int | None]:
    """The same, or ``none`` for no limit."""

    def parse(text: str) -> int | None:
        if text.lower() == "none":
            return None
        try:
            return whole(low, high)(text)
        except ValueError:
            raise ValueError(
                f"must be a whole number from {low} to {high}, or none for no limit, not {_quoted(text)}."
            ) from None

    return parse


def rate(text: str) -> float:
    """Pictures a minute."""
    if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,3})?", text) or float(text) <= 0:
        raise ValueError(f"must be a number above 0, such as 5 or 0.5, not {_quoted(text)}.")
    return float(text)


def dollars(text: str) -> MicroUSD | None:
    """US dollars as whole micro-dollars; ``none`` is no limit."""
    if text.lower() == "none":
        return None
    try:
        amount = Decimal(text) if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,6})?", text) else None
    except InvalidOperation:  # the pattern leaves nothing to stumble over, but money takes no chances
        amount = None
    if amount is None:
        raise ValueError(f"must be US dollars, such as 10 or 2.50, or none for no limit, not {_quoted(text)}.")
    return MicroUSD(int(amount * MICRO))


def token_prices(text: str) -> TokenPrices:
    """US dollars for a million tokens, those read and those written; ``free``: nothing."""
    if text.lower() == "free":
        return TokenPrices(0, 0, 0)
    found = re.fullmatch(r"([0-9]{1,6}(?:\.[0-9]{1,6})?)\s*/\s*([0-9]{1,6}(?:\.[0-9]{1,6})?)", text)
    if found is None:
        raise ValueError(
            "must be US dollars for a million tokens read and written, such as 0.15/0.60, or free, "
            f"not {_quoted(text)}."
        )
    read, written = (int(Decimal(one) * MICRO) for one in found.groups())
    if not read and not written:
        raise ValueError(f"must be free where nothing is charged, not {_quoted(text)}.")
    return TokenPrices(read, read, written)


def choice(*allowed: str) -> Callable[[str], str]:
    """One of a few words, in any case."""
    by_lower = {name.lower(): name for name in allowed}

    def parse(text: str) -> str:
        if text.lower() not in by_lower:
            raise ValueError(f"must be one of {', '.join(allowed)}, not {_quoted(text)}.")
        return by_lower[text.lower()]

    return parse


def shard_ids(text: str) -> tuple[int, ...]:
    """``0-3``, ``0,2`` or both mixed: the ids in order, each once."""
    ids: set[int] = set()
    for part in text.split(","):
        match = re.fullmatch(r"\s*([0-9]{1,5})(?:\s*-\s*([0-9]{1,5}))?\s*", part)
        if match is None or int(match[2] or match[1]) < int(match[1]):
            raise ValueError(f"must look like 0-3 or 0,2, not {_quoted(text)}.")
        ids.update(range(int(match[1]), int(match[2] or match[1]) + 1))
    return tuple(sorted(ids))


def fernet_keys(text: str) -> tuple[str, ...]:
    """One or more Fernet keys with commas: the first seals, the others only open what was sealed before."""
    keys = tuple(key.strip() for key in text.split(",") if key.strip())
    if not keys:
        raise ValueError("holds only commas.")
    for number, key in enumerate(keys, 1):
        try:
            size = len(base64.b64decode(key, altchars=b"-_", validate=True))
        except (binascii.Error, ValueError):
            size = 0
        if size != 32:
            which = f"key {number} of {len(keys)} " if len(keys) > 1 else ""
            raise ValueError(
                f"{which}is no Fernet key. Make one: "
                'python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'
            )
    return keys


def database_url(text: str) -> str:
    """An address of one of the two kinds of database; never quoted, it may hold a password."""
    scheme = text.split("://", 1)[0]
    if scheme == "sqlite+aiosqlite" and "?" in text:
        raise ValueError("must end with the path of the SQLite file: nothing may follow it after a question mark.")
    if scheme == "sqlite+aiosqlite" and text.startswith("sqlite+aiosqlite:///") and len(text) > 20:
        return text
    if scheme == "postgresql+asyncpg" and (urlsplit(text).hostname is not None or "host=/" in urlsplit(text).query):
        return text  # a server's name, or the folder of its socket
    if scheme in ("postgres", "postgresql", "postgresql+psycopg", "postgresql+psycopg2"):
        raise ValueError("must begin with postgresql+asyncpg:// (the rest can stay as it is).")
    if scheme == "sqlite":
        raise ValueError("must begin with sqlite+aiosqlite:/// (three slashes, then the path).")
    raise ValueError(f"must look like {DATABASE_KINDS[0]} or {DATABASE_KINDS[1]}.")


def sqlite_path(address: str) -> Path | None:
    """The file of an SQLite address; None for PostgreSQL and for a database in memory."""
    if not address.startswith("sqlite"):
        return None
    rest = address.split(":///", 1)[1].split("?", 1)[0]
    return None if rest in ("", ":memory:") else Path(rest)


def database_password(address: str) -> str | None:
    return None if address.startswith("sqlite") else urlsplit(address).password


def _quoted(text: str) -> str:
    """What was written, short and without characters that could disturb a terminal."""
    shown = "".join(c if c.isprintable() else "?" for c in text)
    return f"'{shown[:40]}…'" if len(shown) > 40 else f"'{shown}'"
