"""``doctor`` on this machine: settings, files, disk, the ledger, ports, encryption of connections."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import ssl
import tempfile
from collections.abc import Mapping
from urllib.parse import urlsplit

from bot.adapters.files.disk import FLOOR_BYTES
from bot.adapters.marks import C2paMarks
from bot.adapters.status.http import cannot_listen, probe
from bot.operator.discord_api import why
from bot.operator.doctor.context import LedgerState, Surroundings
from bot.operator.doctor.findings import Finding, failed, passed, warned
from bot.operator.doctor.service import setting_of
from bot.operator.healthcheck import readiness
from bot.parts import object_files_of
from bot.ports import CannotStart
from bot.rules.catalogue.model import DEFAULT_SERVICE
from bot.rules.catalogue.official import OFFICIAL_SERVICE
from bot.rules.errors import StorageTrouble
from bot.settings.model import Settings
from bot.settings.sources import are_pictures_faulty

DISK_WARN = 2 * 1024**3
CERTIFICATE_WAIT_S = 10.0


async def check_settings(here: Surroundings) -> list[Finding]:
    """Every fault of the settings, and names that look misspelt."""
    found = [
        failed("settings", fault, "Correct it in the environment or in .env; .env.example shows every setting.")
        for fault in here.reading.faults
    ]
    found += [
        warned("settings", warning, "Correct the name, or take the line out.") for warning in here.reading.warnings
    ]
    return found or [passed("settings", "all readable")]


async def check_env_file(here: Surroundings) -> list[Finding]:
    """``.env`` holds the token: others on this machine must not read it."""
    file = here.folder / ".env"
    if os.name != "posix" or not file.exists():
        return []
    if file.stat().st_mode & 0o077:
        return [warned(".env", "other users of this machine can read it, and it may hold secrets", f"chmod 600 {file}")]
    return [passed(".env", "only its owner can read it")]


async def check_data_dir(here: Surroundings) -> list[Finding]:
    """Pictures are kept until they are delivered, so the folder must be writable and have room."""
    folder = here.settings.data_dir
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        advice = f"Make {folder} and give it to the user that runs Easel, or set DATA_DIR to a folder of its own."
        return [failed("data folder", f"{folder} cannot be written ({error.strerror})", advice)]
    free = here.free_bytes(folder)
    says = f"{free / 1024**3:.1f} GiB free in {folder}"
    if free < FLOOR_BYTES:
        floor = f"{FLOOR_BYTES >> 20} MiB"
        return [failed("disk", says, f"Make room: below {floor} no picture is started, so that no paid one is lost.")]
    if free < DISK_WARN:
        return [
            warned("disk", says, "Make room soon, or let `python -m bot purge --older-than 30d` forget old pictures.")
        ]
    return [passed("disk", says)]


async def check_marks(_: Surroundings) -> list[Finding]:
    """What the menu *Where is this from?* reads needs a library that not every machine has."""
    if C2paMarks().is_there:
        return [passed("marks", "C2PA marks of pictures can be read")]
    says = "C2PA marks of pictures cannot be read: c2pa-python is not installed"
    return [warned("marks", says, "pip install 'easel[marks]', or leave it: the menu then says so.")]


async def check_pictures(here: Surroundings) -> list[Finding]:
    """The place for pictures: one that all machines see, or the disk of each."""
    if are_pictures_faulty(here.reading.faults):
        return []
    url = here.settings.pictures_url
    if url is None:
        if here.settings.is_sqlite or here.settings.shard_ids is None:
            return []
        says = "pictures are kept in each DATA_DIR: those of a machine that is away are late until it is back"
        return [warned("pictures", says, "Share DATA_DIR between the machines, or set PICTURES_URL to a bucket.")]
    advice = "Until it answers, pictures are kept on the machine's disk and brought there later."
    try:
        await object_files_of(here.settings, url).check()
    except CannotStart as problem:
        says = str(problem).removeprefix("PICTURES_URL: ")
        return [failed("pictures", says, "Correct it; docs/settings.md says what each service needs.")]
    except StorageTrouble as trouble:
        return [failed("pictures", str(trouble), advice)]
    return [passed("pictures", f"{url} takes and removes objects")]


LEDGER_ADVICE = {
    LedgerState.OLDER: "Run `python -m bot migrate`; it makes a backup first.",
    LedgerState.NEWER: "Start the newer Easel again, or restore the backup made before its migration: "
    "`python -m bot restore FILE`.",
    LedgerState.UNWRITABLE: "Nothing is wrong with the ledger itself: give it to the user that runs Easel (or run this "
    "as that user), and see that its disk has room.",
    LedgerState.UNREADABLE: "Check DATABASE_URL and that the database runs; if its file is damaged, bring a backup "
    "back: `python -m bot restore FILE`.",
}


async def check_ledger(here: Surroundings) -> list[Finding]:
    """The database: there, readable, of this version, and fit for as many processes as are planned."""
    look = await here.ledger(here.settings)
    match look.state:
        case LedgerState.CURRENT:
            found = [passed("database", look.detail or "readable, writable, of this version")]
        case LedgerState.MISSING:
            found = [passed("database", "not there yet; the first start makes it")]
        case LedgerState.OLDER:
            found = [warned("database", look.detail, LEDGER_ADVICE[look.state])]
        case LedgerState.NEWER | LedgerState.UNWRITABLE | LedgerState.UNREADABLE:
            found = [failed("database", look.detail, LEDGER_ADVICE[look.state])]
    return found + _several_processes(here.settings)


def _several_processes(settings: Settings) -> list[Finding]:
    if settings.is_sqlite and settings.shard_ids is not None and len(settings.shard_ids) < (settings.shard_count or 0):
        advice = "Give all processes one PostgreSQL: DATABASE_URL=postgresql+asyncpg://…"
        return [failed("database", "SHARD_IDS leaves shards to other processes, but SQLite serves one process", advice)]
    return []


async def check_secret_key(here: Surroundings) -> list[Finding]:
    """What seals tokens and servers' API keys: without ``SECRET_KEY``, a key file that one machine has."""
    if here.settings.secret_key:
        return [passed("SECRET_KEY", "valid")]
    if any(fault.startswith("SECRET_KEY:") for fault in here.reading.faults):
        return []
    says = f"not set: a key is kept in {here.settings.data_dir}, and who copies that folder can open what it seals"
    advice = (
        "Make one, put it into SECRET_KEY of every process and keep a copy apart from backups: "
        'python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'
    )
    if not here.settings.is_sqlite and here.settings.shard_ids is not None:
        return [failed("SECRET_KEY", "not set, so processes on other machines cannot open what this one seals", advice)]
    return [warned("SECRET_KEY", says, advice)]


async def check_http_port(here: Surroundings) -> list[Finding]:
    """The status page must be able to listen, and should not be open to the world unasked."""
    host, port = here.settings.http_host, here.settings.http_port
    if port == 0:
        return [warned("status page", "HTTP_PORT is 0, so no supervisor can see whether Easel is well",
                       "Set HTTP_PORT, if something watches it.")]  # fmt: skip
    problem = await probe(host, port)
    running = await asyncio.to_thread(readiness, host, port) if problem is not None else None
    if running is not None:
        return _of_the_running(running)
    if problem is not None:
        advice = "If this Easel is running right now, all is well; otherwise set HTTP_PORT to another port."
        return [failed("status page", cannot_listen(host, port, problem), advice)]
    if not _is_local(host):
        advice = "Let only the monitoring reach this port (firewall), or set HTTP_HOST=127.0.0.1."
        return [warned("status page", f"anyone who reaches {host}:{port} can read the figures", advice)]
    return [passed("status page", f"{host}:{port} is free")]


async def check_addresses(here: Surroundings) -> list[Finding]:
    """Tokens and keys must travel encrypted, to a host whose certificate this machine trusts; where there are any."""
    found: list[Finding] = []
    settings, addresses = here.settings, dict[str, str]()
    if settings.discord_token is not None:
        addresses["DISCORD_API_BASE"] = settings.discord_api_base
    for service in here.services():
        if service.name != DEFAULT_SERVICE:
            addresses[setting_of(service, "base_url")] = service.address
        elif settings.discord_token is not None or settings.openai_api_key is not None or settings.openai_base_url:
            addresses["OPENAI_BASE_URL"] = settings.openai_base_url or OFFICIAL_SERVICE
    for name, address in addresses.items():
        parts = urlsplit(address)
        if parts.scheme == "https":
            found.append(await _certificate(name, parts.hostname or "", parts.port or 443))
        elif not _is_local(parts.hostname or ""):
            found.append(warned("TLS", f"{name} is http://, so secrets travel unencrypted to {parts.hostname}",
                                "Use https://, or be sure that the way there is private."))  # fmt: skip
    return found


async def _certificate(name: str, host: str, port: int) -> Finding:
    try:
        async with asyncio.timeout(CERTIFICATE_WAIT_S):
            _, writer = await asyncio.open_connection(host, port, ssl=ssl.create_default_context())
            writer.close()
    except ssl.SSLCertVerificationError as error:
        advice = (
            "Install the CA certificates of your system (Debian: apt install ca-certificates), check this machine's "
            "clock, and behind a company proxy add its certificate (SSL_CERT_FILE)."
        )
        return failed("TLS", f"the certificate of {host} is not trusted ({error.verify_message})", advice)
    except (OSError, TimeoutError) as error:
        advice = f"Check the network, the firewall and {name}."
        return failed("TLS", f"no encrypted connection to {host}: {why(error)}", advice)
    return passed("TLS", f"{host} is trusted")


async def check_privacy(here: Surroundings) -> list[Finding]:
    """Discord's terms want a privacy policy that members can find."""
    if here.settings.privacy_url:
        return [passed("PRIVACY_URL", "set")]
    advice = "Fill in PRIVACY.md, publish it, and set PRIVACY_URL to its address."
    return [warned("PRIVACY_URL", "not set; Discord asks every bot for a privacy policy members can find", advice)]


def _of_the_running(said: Mapping[str, str]) -> list[Finding]:
    """What the Easel that runs here says of itself: only it knows that its ledger was replaced under it."""
    wrong = [
        failed("running Easel", f"{name}: {words}", "Put that right, then restart Easel; its log says more.")
        for name, words in said.items()
        if words != "ok"
    ]
    return wrong or [passed("status page", "Easel runs here and is ready")]


def _is_local(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
