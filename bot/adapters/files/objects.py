"""Pictures in an object store: ``Files`` in a bucket that every machine sees. The only file that knows obstore.

    <prefix>/<shelf>/<job id>.<kept>      a bundle, as on a disk (``bundle.py``), with its digest as metadata

Law: an object is there whole or not at all, and what is read has the length and the digest of what was written.
Whatever the store says comes as ``StorageTrouble``; that something is not there is only believed when the store itself
says so. No message of the library leaves this file: it may hold an address with a signature in it.

Its calls are made in threads, not awaited: with obstore 0.12 one in six processes that ever awaited one aborted at its
end, because the library's own threads still reach for the interpreter.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import io
import logging
import re
import secrets
import zlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, NotSupportedError
from obstore.store import ObjectStore, from_url

from bot.adapters.files.bundle import NoBundle, pieces_of, read_bundle
from bot.ports import Bundle, CannotStart, Kept
from bot.rules.errors import StorageTrouble

log = logging.getLogger(__name__)

SHELVES = 256
DIGEST = "easel_digest"
"""Letters and an underscore: what every service takes as the name of metadata."""

OWNER = "ledger"
"""The object that names whose the pictures are: two ledgers at one place would delete each other's."""

TIMEOUT = "60s"
CONNECT_TIMEOUT = "5s"
TRIES = 2
"""More than one for a connection that had died; the rest is for a later round, with the picture safe on the disk."""

_KEY = re.compile(rf"[0-9a-f]{{2}}/(?P<job>[A-Za-z0-9_-]{{2,64}})\.({'|'.join(Kept)})")
_JOB_ID = re.compile(r"[A-Za-z0-9_-]{2,64}")
_STATUS = re.compile(r"status code: (\d{3})")
_NO_BUCKET = re.compile(r"NoSuchBucket|ContainerNotFound|bucket does not exist", re.IGNORECASE)
"""Then nobody knows what lies in it; S3, Azure, Google."""
_ASKED_FOR_KEY = re.compile(r"token request|//169\.254\.|//metadata\.google")
"""The only requests that go elsewhere than to the store."""
_KEYS = {
    "s3": "PICTURES_KEY_ID and PICTURES_KEY",
    "az": "PICTURES_KEY_ID (the storage account) and PICTURES_KEY (its access key, whole)",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS (the file of a service account)",
}


@dataclass(frozen=True, slots=True)
class Bucket:
    """Where pictures lie, and the keys to it; what is None comes from the environment, as each service defines it."""

    url: str
    endpoint: str | None = None
    region: str | None = None
    key_id: str | None = None
    key: str | None = None


@contextlib.contextmanager
def _in_our_words(scheme: str) -> Iterator[None]:
    try:
        yield
    except (BaseError, OSError) as error:
        raise _trouble(error, scheme) from None


def _trouble(error: Exception, scheme: str) -> StorageTrouble:
    status = _status_of(error)
    match status, _is_without_key(error):
        case _, True:
            answer = f"has no key: {_no_key(scheme)}"
        case None, _:
            answer = (
                f"cannot be reached ({type(error).__name__}): check PICTURES_ENDPOINT (name, port, http or https?) "
                "and the network"
            )
        case _:
            answer = f"answered {status} ({type(error).__name__})"
    return StorageTrouble(f"the object store for pictures {answer}")


def _is_without_key(error: Exception) -> bool:
    """Whether the library asked for a key, of this machine's cloud or of Google, and got none."""
    return _ASKED_FOR_KEY.search(str(error)) is not None


def _no_key(scheme: str) -> str:
    return f"set {_KEYS[scheme]}, or run where the cloud gives the machine a key"


def _status_of(error: Exception) -> int | None:
    """What the store answered; None where nothing came."""
    found = _STATUS.search(str(error))
    return int(found[1]) if found else None


def open_bucket(bucket: Bucket) -> ObjectStore:
    """Connects to nothing yet. Raises ``CannotStart`` for what cannot be an object store."""
    scheme = _scheme_of(bucket.url)
    names = {
        "s3": ("aws_endpoint", "aws_region", "aws_access_key_id", "aws_secret_access_key"),
        "az": ("azure_storage_endpoint", None, "azure_storage_account_name", "azure_storage_account_key"),
        "gs": ("google_base_url", None, None, None),
    }[scheme]
    values = (bucket.endpoint, bucket.region, bucket.key_id, bucket.key)
    config: dict[str, Any] = {name: value for name, value in zip(names, values, strict=True) if name and value}
    config["client_options"] = {
        "timeout": TIMEOUT,
        "connect_timeout": CONNECT_TIMEOUT,
        "allow_http": (bucket.endpoint or "").startswith("http://"),
    }
    config["retry_config"] = {
        "max_retries": TRIES,
        "retry_timeout": timedelta(seconds=20),
        "backoff": {"init_backoff": timedelta(milliseconds=200), "max_backoff": timedelta(seconds=2), "base": 2},
    }
    try:
        return from_url(bucket.url, **config)
    except (BaseError, ValueError) as error:
        raise CannotStart(
            f"PICTURES_URL: {bucket.url} cannot be used ({type(error).__name__}): check {_KEYS[scheme]}, "
            "and PICTURES_ENDPOINT if it is set."
        ) from None


def _scheme_of(url: str) -> str:
    return url.partition("://")[0]


class ObjectFiles:
    """``Files`` in a bucket. The place is named by its address, so every process with the same setting shares it."""

    def __init__(self, store: ObjectStore, url: str) -> None:
        self._store = store
        self._scheme = _scheme_of(url)
        self.places = (url,)

    async def check(self) -> None:
        """Writes a small object and removes it. Raises ``CannotStart`` for what only the operator can mend, and
        ``StorageTrouble`` while the store does not answer.
        """
        await asyncio.to_thread(self._check)

    async def claim(self, ledger: str) -> None:
        """Writes down whose the place is, where nobody did. Raises ``CannotStart`` for a place of another ledger, and
        ``StorageTrouble`` while nobody can tell.
        """
        await asyncio.to_thread(self._claim, ledger)

    async def keep(self, job_id: str, kept: Kept, bundle: Bundle) -> None:
        await asyncio.to_thread(self._keep, _name(job_id, kept), bundle)

    async def read(self, job_id: str, kept: Kept) -> Bundle | None:
        return await asyncio.to_thread(self._read, _name(job_id, kept))

    async def remove(self, job_id: str) -> None:
        await asyncio.to_thread(self._remove, [_name(job_id, kept) for kept in Kept])

    async def jobs(self) -> AsyncIterator[str]:
        for job_id in await asyncio.to_thread(self._jobs):
            yield job_id

    def aside(self, job_id: str) -> str | None:
        return None

    def is_full(self) -> bool:
        return False

    async def recover(self, now: datetime) -> list[str]:
        return []

    async def catch_up(self) -> int:
        return 0

    # in a thread

    def _check(self) -> None:
        name = f"check-{secrets.token_hex(4)}"
        try:
            obstore.put(self._store, name, b"Easel was here")
            obstore.delete(self._store, name)
        except (BaseError, OSError) as error:
            status = _status_of(error)
            if status is None or status >= 500 or status in (408, 429):
                raise _trouble(error, self._scheme) from None
            without_key = _is_without_key(error)
            advice = f"has no key: {_no_key(self._scheme)}." if without_key else _advice(status, self._scheme)
            raise CannotStart(f"PICTURES_URL: {self.places[0]} {advice}") from None

    def _claim(self, ledger: str) -> None:
        with _in_our_words(self._scheme):
            found = self._owner()
            if found is None:
                self._write_owner(ledger)
                found = self._owner()
        if found != ledger:
            raise CannotStart(
                f"PICTURES_URL: {self.places[0]} belongs to another ledger, which would delete what this one keeps. "
                f"Give it a prefix of its own; if that ledger is gone for good, remove the object {OWNER!r} there."
            )

    def _owner(self) -> str | None:
        """Looked at first: many a store takes a condition on writing for no condition, and would change owners."""
        try:
            return bytes(obstore.get(self._store, OWNER).bytes()).decode(errors="replace")
        except FileNotFoundError as error:
            if _NO_BUCKET.search(str(error)):
                raise
            return None

    def _write_owner(self, ledger: str) -> None:
        try:
            obstore.put(self._store, OWNER, ledger.encode(), mode="create")
        except AlreadyExistsError:
            return
        except (BaseError, NotImplementedError) as error:
            if not isinstance(error, (NotSupportedError, NotImplementedError)) and _status_of(error) != 501:
                raise
            obstore.put(self._store, OWNER, ledger.encode())  # a store that knows no conditions

    def _keep(self, name: str, bundle: Bundle) -> None:
        data = b"".join(pieces_of(bundle))
        with _in_our_words(self._scheme):
            obstore.put(self._store, name, data, attributes={DIGEST: _digest(data)}, max_concurrency=2)

    def _read(self, name: str) -> Bundle | None:
        with _in_our_words(self._scheme):
            try:
                found = obstore.get(self._store, name)
                data = bytes(found.bytes())
            except FileNotFoundError as error:
                if _NO_BUCKET.search(str(error)):
                    raise
                return None
        told = found.attributes.get(DIGEST)
        if len(data) != found.meta["size"] or (told is not None and told != _digest(data)):
            raise StorageTrouble(f"the object store for pictures gave {name} otherwise than it was kept")
        try:
            return read_bundle(io.BytesIO(data))
        except NoBundle as broken:
            log.error("%s in the object store is damaged (%s): taken as not there", name, broken)
            return None

    def _remove(self, names: list[str]) -> None:
        with _in_our_words(self._scheme):
            for name in names:
                try:
                    obstore.delete(self._store, name)
                except FileNotFoundError as error:
                    if _NO_BUCKET.search(str(error)):
                        raise

    def _jobs(self) -> set[str]:
        with _in_our_words(self._scheme):
            paths = (found["path"] for page in obstore.list(self._store, chunk_size=1000) for found in page)
            return {match["job"] for path in paths if (match := _KEY.fullmatch(path)) is not None}


def _name(job_id: str, kept: Kept) -> str:
    if not _JOB_ID.fullmatch(job_id):
        raise ValueError("not a job id")
    return f"{zlib.crc32(job_id.encode()) % SHELVES:02x}/{job_id}.{kept}"


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def _advice(status: int, scheme: str) -> str:
    match status:
        case 404:
            return "names a bucket that is not there. Make it, or correct the name."
        case 401 | 403:
            return f"does not take the key: check {_KEYS[scheme]}, and that it may write and delete."
        case 301 | 307 | 400:
            return (
                f"was refused (status {status}): check PICTURES_ENDPOINT (http or https?) and PICTURES_REGION, "
                f"and that the key is whole: {_KEYS[scheme]}."
            )
        case _:
            return f"was refused (status {status}). Nothing was kept there."
