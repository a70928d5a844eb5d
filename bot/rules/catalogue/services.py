"""The services that pictures come from, as ``[services.<name>]`` of ``IMAGE_MODELS`` says; and what is wrong with one.

    [services.local]
    base_url = "http://localhost:8080/v1"
    key_in = "none"
    free = true

    [services.school]
    base_url = "https://school.openai.azure.com/openai"
    dialect = "azure"
    key = "env SCHOOL_KEY"
    query = { api-version = "2025-04-01-preview" }
    chat_model = "words"
    chat_prices = { input = 0.15, output = 0.60 }

Law: no secret stands in that file. A key, or a header that is one, is named: by a setting (``env NAME``) or a file
(``file PATH``). What is said of a secret never quotes it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from bot.rules.catalogue.fields import Reader, Wrong, dollars, flag, one_of, whole, word
from bot.rules.catalogue.model import DEFAULT_SERVICE
from bot.rules.catalogue.official import OFFICIAL_SERVICE, is_official
from bot.rules.money import MicroUSD, TokenPrices
from bot.rules.redaction import SECRET, is_secret_name

NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}")
_VALUE = re.compile(r"[\x20-\x7e]{1,1000}")
_SETTING = re.compile(r"env ([A-Z][A-Z0-9_]{0,63})")
_FILE = re.compile(r"file (\S.*)")
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?")
OURS = frozenset({"authorization", "api-key", "host", "content-length", "content-type", "accept-encoding", "cookie"})
"""Headers that Easel sets itself."""


OUTPUT_TOKENS = 1_000
"""Of an answer in words: a prompt has some 200."""

IMAGE_TOKENS = 26_000
"""Of a picture of 1,024 pixels that is to be described, by the dearest way of counting in use."""


class Dialect(StrEnum):
    """How a service speaks. ``XAI``: edits as JSON; ``AZURE``: the deployment stands in the path."""

    OPENAI = "openai"
    XAI = "xai"
    AZURE = "azure"


class KeyPlace(StrEnum):
    """Where the key of a call goes."""

    BEARER = "bearer"
    API_KEY = "api-key"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Service:
    """One service. ``base_url`` empty: OpenAI's own. ``key`` and the values of ``headers`` may be names of secrets.

    ``hosts``: where its pictures may be fetched from beside itself and the open internet, as ``host`` or ``host:port``.
    ``images_per_minute`` None: as IMAGES_PER_MINUTE says. ``overnight``: it has the Batch API, as OpenAI's own.
    ``chat_…`` is of its model of words (see ``chat.py``).
    """

    name: str = DEFAULT_SERVICE
    base_url: str = ""
    key: str = ""
    key_in: KeyPlace = KeyPlace.BEARER
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    dialect: Dialect = Dialect.OPENAI
    hosts: frozenset[str] = frozenset()
    images_per_minute: int | None = None
    free: bool = False
    provenance: bool | None = None
    provenance_price: MicroUSD = MicroUSD(0)
    overnight: bool = False
    chat_model: str = ""
    chat_prices: TokenPrices | None = None
    chat_output_tokens: int = OUTPUT_TOKENS
    chat_image_tokens: int = IMAGE_TOKENS
    chat_limit: str = ""

    @property
    def is_official(self) -> bool:
        """Whether it is OpenAI's own: there a quick failure cost nothing, and models retire by the catalogue's days."""
        return is_official(self.base_url or OFFICIAL_SERVICE)

    @property
    def checks_provenance(self) -> bool:
        """Whether it can be asked if it made a picture, which OpenAI's own can."""
        return self.is_official if self.provenance is None else self.provenance

    def at(self, address: str) -> Service:
        """The same service there: xAI is known by its name."""
        host = urlsplit(address).hostname or ""
        is_xai = self.dialect is Dialect.OPENAI and (host == "x.ai" or host.endswith(".x.ai"))
        return replace(self, base_url=address, dialect=Dialect.XAI if is_xai else self.dialect)

    @property
    def address(self) -> str:
        """Where it is, for people."""
        return self.base_url or OFFICIAL_SERVICE


def secrets_named(service: Service) -> tuple[str, ...]:
    """The names (``env …``, ``file …``) of the secrets it needs."""
    return tuple(name for name in (service.key, *service.headers.values()) if names_a_secret(name))


def names_a_secret(text: str) -> bool:
    return bool(_SETTING.fullmatch(text) or _FILE.fullmatch(text))


def setting_of(name: str) -> str | None:
    """The setting that ``env NAME`` names."""
    match = _SETTING.fullmatch(name)
    return match[1] if match else None


def file_of(name: str) -> str | None:
    """The file that ``file PATH`` names."""
    match = _FILE.fullmatch(name)
    return match[1] if match else None


# --- reading ---------------------------------------------------------------------------------------------------------


def base_url(value: Any) -> str:
    text = value.strip() if isinstance(value, str) else ""
    try:
        parts = urlsplit(text)
        is_whole = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_whole = False
    if not is_whole or not text.isascii() or not text.isprintable() or " " in text:
        raise Wrong("expected an address, like http://localhost:8080/v1")
    if "?" in text or "#" in text:
        raise Wrong("must end with the path; what comes after a ? goes into query")
    if "@" in urlsplit(text).netloc:
        raise Wrong("holds a password; name the key with key")
    return text.rstrip("/")


def key(value: Any) -> str:
    if not isinstance(value, str) or not names_a_secret(value):
        raise Wrong(
            'must not hold the key itself; name it, like key = "env LOCAL_KEY" or key = "file /run/secrets/key"'
        )
    return value


def headers(value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise Wrong('expected a table, like { x-portkey-provider = "openai" }')
    for name, text in value.items():
        if not _HEADER.fullmatch(name):
            raise Wrong("is no name of a header", name if name.isprintable() else "")
        if name.lower() in OURS:
            raise Wrong("Easel sets this header itself; a key is named with key, and key_in says where it goes", name)
        if not isinstance(text, str) or not _VALUE.fullmatch(text):
            raise Wrong("expected one line of plain text", name)
        if (is_secret_name(name) or SECRET.search(text)) and not names_a_secret(text):
            raise Wrong('must not hold the secret itself; name it, like "env GATEWAY_KEY"', name)
    return {name.lower(): text for name, text in value.items()}


def query(value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise Wrong('expected a table, like { api-version = "2025-04-01-preview" }')
    for name, text in value.items():
        if not _HEADER.fullmatch(name) or not isinstance(text, str) or not _VALUE.fullmatch(text):
            raise Wrong("expected one line of plain text", name if name.isprintable() else "")
    return dict(value)


def hosts(value: Any) -> frozenset[str]:
    if not isinstance(value, list):
        raise Wrong('expected a list of hosts, like ["minio.lan:9000"]')
    read = [one.lower() if isinstance(one, str) else "" for one in value]
    if not all(_HOST.fullmatch(one) for one in read):
        raise Wrong('expected hosts without path, like ["minio.lan:9000"]')
    return frozenset(read)


def chat_prices(value: Any) -> TokenPrices:
    """Dollars for a million tokens."""
    if not isinstance(value, Mapping) or set(value) != {"input", "output"}:
        raise Wrong("expected dollars for a million tokens, like { input = 0.15, output = 0.60 }")
    read, written = dollars(value["input"]), dollars(value["output"])
    return TokenPrices(read, read, written)


FIELDS: Mapping[str, Reader] = {
    "base_url": base_url,
    "key": key,
    "key_in": one_of(*KeyPlace),
    "headers": headers,
    "query": query,
    "dialect": one_of(*Dialect),
    "hosts": hosts,
    "images_per_minute": whole(1, 100_000),
    "free": flag,
    "provenance": flag,
    "provenance_price": dollars,
    "overnight": flag,
    "chat_model": word,
    "chat_prices": chat_prices,
    "chat_output_tokens": whole(16, 100_000),
    "chat_image_tokens": whole(1, 1_000_000),
    "chat_limit": one_of("max_tokens", "max_completion_tokens"),
}
_SETTINGS_OF_DEFAULT = {
    "base_url": "OPENAI_BASE_URL",
    "key": "OPENAI_API_KEY",
    "images_per_minute": "IMAGES_PER_MINUTE",
}


def read_services(tables: Any, faults: list[str]) -> dict[str, Service]:
    """Every service by name, ``default`` among them. What is wrong goes into ``faults``, each with service and key."""
    if not isinstance(tables, Mapping):
        faults.append("services: expected tables like [services.local]")
        tables = {}
    found = {DEFAULT_SERVICE: Service()}
    for name, table in tables.items():
        before = len(faults)
        service = _read(name, table, faults)
        if service is not None and len(faults) == before:
            found[name] = service
    return found


def _read(name: str, table: Any, faults: list[str]) -> Service | None:
    at = f"services.{name}"
    if not NAME.fullmatch(name):
        faults.append(f"services.{name!r}: a name has small letters, digits, - and _, and begins with a letter")
        return None
    if not isinstance(table, Mapping):
        faults.append(f"{at}: expected a table")
        return None
    values, wrong = _values(table)
    if wrong:
        faults += [f"{at}.{fault}" for fault in wrong]
        return None
    service = Service(
        name,
        **values
        | {
            "key_in": KeyPlace(values.get("key_in", KeyPlace.BEARER)),
            "dialect": Dialect(values.get("dialect", Dialect.OPENAI)),
        },
    )
    faults += [f"{at}.{fault}" for fault in _misfits(service, frozenset(values))]
    return service if "dialect" in values else service.at(service.base_url)


def _values(table: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """What could be read, and what is wrong, key by key."""
    values, wrong = {}, []
    for name, value in table.items():
        if name not in FIELDS:
            near = get_close_matches(name, FIELDS, n=1)
            wrong.append(f"{name}: no such key" + (f"; is {near[0]} meant?" if near else ""))
            continue
        try:
            values[name] = FIELDS[name](value)
        except Wrong as fault:
            wrong.append(f"{name}{'.' + fault.where if fault.where else ''}: {fault}")
    return values, wrong


def _misfits(service: Service, given: frozenset[str]) -> list[str]:
    """What does not go together, each beginning with its key."""
    if service.name == DEFAULT_SERVICE:
        found = [f"{one}: {name} says it" for one, name in _SETTINGS_OF_DEFAULT.items() if one in given]
    else:
        found = [] if "base_url" in given else ["base_url: is missing"]
        if service.key_in is KeyPlace.NONE and service.key:
            found.append('key: goes nowhere with key_in = "none"')
        if service.key_in is not KeyPlace.NONE and not service.key:
            found.append('key: is missing; name one, or say key_in = "none" for a server without keys')
    chat = sorted(given & {name for name in FIELDS if name.startswith("chat_")})
    if chat and not service.chat_model:
        found.append(f"{chat[0]}: chat_model is missing")
    if service.chat_model and service.chat_prices is None and not service.free:
        found.append("chat_prices: is missing; without a price nothing can hold a budget")
    if service.provenance_price and not service.checks_provenance:
        found.append("provenance_price: means nothing without provenance = true")
    if service.dialect is Dialect.AZURE and "api-version" not in service.query:
        found.append('query: Azure\'s classic addresses need { api-version = "…" }')
    if service.free and service.is_official and service.name != DEFAULT_SERVICE:
        found.append("free: OpenAI's own service is not free")
    return found
