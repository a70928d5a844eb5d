"""The fault server, and the adapter pointed at it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bot.adapters.openai.clients import Account
from bot.adapters.openai.images import OpenAIImages
from bot.rules.catalogue.services import Service
from tests.adapters.openai.fault_server import KEY, NOW, Catalogue, FaultServer, Ticks, inspect


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.delenv(name, raising=False)


async def _started(tls: ssl.SSLContext | None = None) -> tuple[FaultServer, asyncio.Server]:
    faults = FaultServer()
    server = await asyncio.start_server(faults.serve, "127.0.0.1", 0, limit=2**20, ssl=tls)
    faults.port = server.sockets[0].getsockname()[1]
    return faults, server


@pytest.fixture
async def server() -> AsyncIterator[FaultServer]:
    faults, listening = await _started()
    yield faults
    listening.close()


@pytest.fixture
async def elsewhere() -> AsyncIterator[FaultServer]:
    """Another host: what goes there has left the service."""
    faults, listening = await _started()
    yield faults
    listening.close()


@pytest.fixture
async def tls_server(tmp_path: Path) -> AsyncIterator[tuple[FaultServer, ssl.SSLContext]]:
    """A server with a certificate of its own, and a client's settings that trust it."""
    certificate = self_signed(tmp_path)
    speaks = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    speaks.load_cert_chain(certificate)
    faults, listening = await _started(speaks)
    yield faults, ssl.create_default_context(cafile=str(certificate))
    listening.close()


def self_signed(folder: Path) -> Path:
    """A certificate for 127.0.0.1 and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "fault server")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "tls.pem").write_bytes(certificate.public_bytes(pem) + secret)
    return folder / "tls.pem"


@pytest.fixture(scope="session")
def tls() -> ssl.SSLContext:
    """Trusts nobody; made once, because reading certificates takes longer than a test."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


async def no_pause(seconds: float) -> None:
    assert 0 < seconds <= 5


both_transports = pytest.mark.parametrize("transport", ["aiohttp", "the SDK's own"], indirect=True)
"""For what must hold over aiohttp and behind a proxy, where the SDK's own transport does the work."""


@pytest.fixture
def transport(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if getattr(request, "param", "aiohttp") != "aiohttp":
        monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1,no-such-host.invalid")


@pytest.fixture
async def connect(
    server: FaultServer, tls: ssl.SSLContext, transport: None
) -> AsyncIterator[Callable[..., OpenAIImages]]:
    """Makes adapters that are closed in the end, by default pointed at ``server``."""
    made: list[OpenAIImages] = []

    def make(**more: Any) -> OpenAIImages:
        given: dict[str, Any] = {
            "base_url": f"{server.url}/v1",
            "api_key": KEY,
            "inspect": inspect,
            "models": Catalogue(),
            "clock": lambda: NOW,
            "monotonic": Ticks(0.1),
            "tls": tls,
            "pause": no_pause,
        }
        given |= more
        account = Account(*(given.pop(name, None) for name in ("api_key", "organization", "project")))
        service = given.pop("service", Service()).at(given.pop("base_url"))
        made.append(OpenAIImages(service=service, account=given.pop("account", account), **given))
        return made[-1]

    yield make
    for service in made:
        await service.aclose()
