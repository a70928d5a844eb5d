"""Each part of Easel, made from the settings: for the bot, the doctor, purge, the benches and tests.

Law: what a setting does to a part is said here and nowhere else. A library is imported with the part that needs it, so
that a small command starts quickly.
"""

from __future__ import annotations

import logging
import stat
import tomllib
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from bot.loading import load_late
from bot.ports import CannotStart, Clock, Files, Gate, OpenGate, Setup
from bot.rules.catalogue.catalogue import Catalogue, CatalogueError, ModelRetired, NoSuchModel
from bot.rules.catalogue.load import builtin_catalogue, load_catalogue
from bot.rules.catalogue.model import DEFAULT_SERVICE, Model
from bot.rules.catalogue.services import Service, file_of, names_a_secret, setting_of
from bot.rules.servers.presets import BadPresets, Preset, builtin_presets, load_presets, together
from bot.settings.model import Settings, default_limits

if TYPE_CHECKING:
    from bot.adapters.database import SqlStore
    from bot.adapters.files.disk import DiskFiles
    from bot.adapters.files.objects import ObjectFiles
    from bot.adapters.files.sheltered import ShelteredFiles
    from bot.adapters.openai.clients import Account
    from bot.adapters.openai.images import OpenAIImages
    from bot.adapters.secrets import Secrets
    from bot.adapters.services import Services
    from bot.imaging.inspect import Inspected


log = logging.getLogger(__name__)


def version() -> str:
    """Easel's, as it was installed."""
    try:
        return metadata.version("easel")
    except metadata.PackageNotFoundError:  # started from its folder
        described = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))
        return str(described["project"]["version"])


def now() -> datetime:
    """The clock of everything that has no other."""
    return datetime.now(UTC)


def catalogue_of(settings: Settings) -> Catalogue:
    """Easel's models with the operator's ``IMAGE_MODELS`` over them. Raises ``CannotStart`` naming every fault."""
    overrides = None
    if settings.image_models is not None:
        try:
            overrides = settings.image_models.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise CannotStart(f"IMAGE_MODELS: {settings.image_models} cannot be read ({error}).") from error
    try:
        catalogue = load_catalogue(builtin_catalogue(), overrides)
    except CatalogueError as error:
        faults = (fault.removeprefix("IMAGE_MODELS").lstrip(":. ") for fault in error.faults)
        raise CannotStart("\n".join(f"IMAGE_MODELS: {fault}" for fault in faults)) from error
    missing = [fault for service in catalogue.services.values() for fault in _missing_secrets(settings, service)]
    if missing:
        raise CannotStart("\n".join(f"IMAGE_MODELS: {fault}" for fault in missing))
    return _with_chat(settings, catalogue.at(settings.openai_base_url))


def _with_chat(settings: Settings, catalogue: Catalogue) -> Catalogue:
    """With the model of words that ``CHAT_MODEL`` names at the default service. Raises ``CannotStart``."""
    name, prices = settings.chat_model, settings.chat_prices
    if name is None:
        if prices is not None:
            raise CannotStart("CHAT_PRICES: CHAT_MODEL is missing; say which model has these prices.")
        return catalogue
    if catalogue.services[DEFAULT_SERVICE].chat_model:
        raise CannotStart("CHAT_MODEL: IMAGE_MODELS names one already, as chat_model of services.default.")
    if prices is None:
        raise CannotStart(
            f"CHAT_PRICES: is missing. Say what {name} costs for a million tokens read and written, such as 0.15/0.60, "
            "or free: without a price nothing can hold a budget."
        )
    if catalogue.get(name) is not None:
        raise CannotStart(f"CHAT_MODEL: {name} is a model that draws.")
    return catalogue.with_chat(name, prices)


def presets_of(settings: Settings, catalogue: Catalogue) -> tuple[Preset, ...]:
    """Easel's presets and the operator's ``PRESETS``. Raises ``CannotStart`` in one sentence."""
    models = {model.id for model in catalogue}
    ours = load_presets(builtin_presets(), models)
    if settings.presets is None:
        return ours
    try:
        return together(ours, load_presets(settings.presets.read_text(encoding="utf-8-sig"), models))
    except (OSError, UnicodeDecodeError, BadPresets) as error:
        raise CannotStart(f"PRESETS: {settings.presets}: {error}.") from error


def _missing_secrets(settings: Settings, service: Service) -> list[str]:
    """What a service names and nothing holds, or holds what no header can carry; never with the secret."""
    faults = []
    for where, named in (("key", service.key), *((f"headers.{name}", text) for name, text in service.headers.items())):
        if not names_a_secret(named):
            continue
        secret = settings.service_secrets.get(named)
        setting = setting_of(named)
        what = f"the setting {setting}" if setting is not None else f"the file {file_of(named)}"
        if secret is None:
            says = f"{what} is not set" if setting is not None else f"{what} cannot be read, or is empty"
            faults.append(f"services.{service.name}.{where}: {says}")
        elif not secret.get_secret_value().isascii() or not secret.get_secret_value().isprintable():
            faults.append(f"services.{service.name}.{where}: what {what} holds fits in no header")
    return faults


def account_of(settings: Settings, service: Service) -> Account:
    """The operator's key and headers at a service, with their secrets."""
    from bot.adapters.openai.clients import Account

    def told(named: str) -> str:
        secret = settings.service_secrets.get(named)
        return secret.get_secret_value() if secret is not None else named

    headers = {name: told(text) for name, text in service.headers.items()}
    secrets = tuple(headers[name] for name, text in service.headers.items() if names_a_secret(text))
    if service.name != DEFAULT_SERVICE:
        return Account(told(service.key) or None, headers=headers, secrets=secrets)
    key = settings.openai_api_key.get_secret_value() if settings.openai_api_key else None
    return Account(key, settings.openai_org_id, settings.openai_project_id, headers, secrets)


@dataclass(frozen=True, slots=True)
class BadDefault:
    """``DEFAULT_MODEL`` cannot be used. One that was only ``retired`` is no reason not to start: others can be."""

    says: str
    advice: str
    retired: bool = False

    def __str__(self) -> str:
        return f"DEFAULT_MODEL: {self.says}. {self.advice}"


def default_model_of(settings: Settings, catalogue: Catalogue, today: date) -> Model | BadDefault:
    """The model of who names none."""
    try:
        return catalogue.choose(settings.default_model, official=settings.is_official_service, today=today)
    except NoSuchModel as unknown:
        nearest = f"Nearest: {', '.join(unknown.nearest)}. " if unknown.nearest else ""
        advice = "`python -m bot models` lists what there is; a model of another server is added with IMAGE_MODELS."
        return BadDefault(f"there is no model {unknown.asked}", nearest + advice)
    except ModelRetired as retired:
        instead = retired.successor or "one that `python -m bot models` lists"
        return BadDefault(f"{retired.model} was retired on {retired.retired_on}", f"Set it to {instead}.", retired=True)


def check_default_model(settings: Settings, catalogue: Catalogue, today: date) -> None:
    """Raises ``CannotStart`` for a default that is no model; complains of one that OpenAI has retired."""
    match default_model_of(settings, catalogue, today):
        case BadDefault(retired=False) as bad:
            raise CannotStart(str(bad))
        case BadDefault() as bad:
            log.error("%s", bad)
        case Model():
            pass


def keep_private(settings: Settings) -> None:
    """Makes ``DATA_DIR``, and takes other users' rights from what Easel keeps in it and from the ledger.

    A folder that was there before is left as it is: it may be shared on purpose. Raises ``CannotStart``.
    """
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    except FileExistsError as error:
        raise CannotStart(f"DATA_DIR: {settings.data_dir} is a file; name a folder.") from error
    except OSError as error:
        raise CannotStart(f"DATA_DIR: {settings.data_dir} cannot be made ({error.strerror}).") from error
    ledger = settings.sqlite_path
    stored = [settings.data_dir / name for name in ("pictures", "backups")]
    stored += ledger.parent.glob(f"{ledger.name}*") if ledger is not None else ()
    for path in stored:
        with suppress(OSError):  # not there yet, somebody else's, or a file system without such rights
            path.chmod(stat.S_IMODE(path.stat().st_mode) & ~(stat.S_IRWXG | stat.S_IRWXO))


def secrets_of(settings: Settings) -> Secrets:
    """What seals, by ``SECRET_KEY`` or a key file in ``DATA_DIR``. Raises ``CannotStart`` for a key that is none."""
    from bot.adapters.secrets import load_secrets

    keep_private(settings)
    keys = ",".join(key.get_secret_value() for key in settings.secret_key)
    return load_secrets(keys or None, settings.data_dir)


def setup_of(settings: Settings, secrets: Secrets, pictures: str) -> Setup:
    """What a process says of itself to the others on its ledger."""
    return Setup(settings.shard_count, secrets.tag(0), pictures)


async def store_of(
    settings: Settings,
    secrets: Secrets,
    *,
    clock: Clock = now,
    process_id: str | None = None,
    files: Files | None = None,
    migrate: bool = True,
) -> SqlStore:
    """The ledger, open: the caller closes it. Raises ``CannotStart`` for one that cannot be used.

    ``files`` are those of a process that works on jobs.
    """
    from bot.adapters.database import open_store

    return await open_store(
        settings.database_url,
        data_dir=settings.data_dir,
        secrets=secrets,
        defaults=default_limits(settings),
        process_id=process_id,
        places=files.places if files else (),
        setup=setup_of(settings, secrets, files.places[0]) if files else None,
        clock=clock,
        migrate=migrate,
    )


def files_of(settings: Settings) -> DiskFiles | ShelteredFiles:
    """Where pictures lie. Raises ``CannotStart`` for a place that cannot be used."""
    from bot.adapters.files.disk import DiskFiles

    def is_whole(data: bytes) -> bool:
        from bot.imaging.inspect import inspect_result

        try:
            return bool(inspect_result(data))
        except ValueError:
            return False

    disk = DiskFiles(settings.data_dir, is_whole=is_whole)
    if settings.pictures_url is None:
        return disk
    from bot.adapters.files.sheltered import ShelteredFiles

    return ShelteredFiles(object_files_of(settings, settings.pictures_url), disk)


def object_files_of(settings: Settings, url: str) -> ObjectFiles:
    """The place that all machines see. Nothing is connected yet."""
    try:
        from bot.adapters.files.objects import Bucket, ObjectFiles, open_bucket
    except ImportError:
        raise CannotStart(
            "PICTURES_URL: needs obstore, which is not installed: pip install 'easel[objects]'."
        ) from None

    key = settings.pictures_key.get_secret_value() if settings.pictures_key else None
    bucket = Bucket(url, settings.pictures_endpoint, settings.pictures_region, settings.pictures_key_id, key)
    return ObjectFiles(open_bucket(bucket), url)


def gate_of() -> Gate:
    """What pictures that arrive pass, for the service and for where they are kept."""
    from bot.imaging.arrivals import Arrivals

    return Arrivals()


def service_of(
    settings: Settings, catalogue: Catalogue, *, gate: Gate | None = None, thorough: bool = True
) -> Services:
    """The image services: the caller closes them. Not ``thorough`` (for measurements): no pixel is decoded."""
    from bot.adapters.on_demand import OnDemand
    from bot.adapters.services import Services

    gate = gate or OpenGate()

    def connect(service: Service) -> OpenAIImages:
        load_late("bot.adapters.openai.images")
        from bot.adapters.openai.images import OpenAIImages
        from bot.imaging.inspect import inspect_result, look

        async def inspect(data: bytes) -> Inspected:
            return await look(data) if thorough else inspect_result(data, thorough=False)

        account = account_of(settings, service)
        return OpenAIImages(service=service, account=account, inspect=inspect, gate=gate, models=catalogue)

    by_name = {
        name: OnDemand(partial(connect, service), is_official=service.is_official)
        for name, service in catalogue.services.items()
    }
    return Services(by_name, catalogue)
