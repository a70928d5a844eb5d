"""All settings, typed; every fault told at once, each by the name of its variable, and never with a secret in it.

A value is looked for in this order: the environment, the file that ``NAME_FILE`` names, ``.env`` (``NAME`` or
``NAME_FILE``), a Docker secret ``/run/secrets/<name>``. An empty value counts as not set. Nothing is read at import.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from difflib import get_close_matches
from io import StringIO
from pathlib import Path
from typing import Annotated, Any, NamedTuple
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError

from bot.ports import CannotStart
from bot.rules.catalogue.pricing import MicroUSD
from bot.rules.limits.decide import Limit, Measure, Period, Scope, Window
from bot.settings import parsing

OFFICIAL_SERVICE = "https://api.openai.com/v1"
DISCORD = "https://discord.com/api/v10"
SECRETS_DIR = Path("/run/secrets")
MAX_SECRET_FILE = 64 * 1024


class ConfigError(CannotStart):
    """The settings cannot be used. ``faults`` are sentences, one per fault, each beginning with its variable."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class Settings(BaseModel):
    """What the operator decided. Attributes are the variables in lower case; money is in micro-dollars.

    ``None`` means: not set, or no limit. Made by ``read_settings`` (from the machine) or ``parse_settings`` (from a
    mapping); both take the variables' own names.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    discord_token: Annotated[SecretStr | None, BeforeValidator(parsing.discord_token)] = Field(
        None, alias="DISCORD_TOKEN"
    )
    discord_api_base: Annotated[str, BeforeValidator(parsing.url)] = Field(DISCORD, alias="DISCORD_API_BASE")
    discord_guild_id: Annotated[int | None, BeforeValidator(parsing.snowflake)] = Field(None, alias="DISCORD_GUILD_ID")
    openai_api_key: Annotated[SecretStr | None, BeforeValidator(parsing.secret)] = Field(None, alias="OPENAI_API_KEY")
    openai_base_url: Annotated[str | None, BeforeValidator(parsing.url)] = Field(None, alias="OPENAI_BASE_URL")
    openai_org_id: Annotated[str | None, BeforeValidator(parsing.word)] = Field(None, alias="OPENAI_ORG_ID")
    openai_project_id: Annotated[str | None, BeforeValidator(parsing.word)] = Field(None, alias="OPENAI_PROJECT_ID")
    image_models: Annotated[Path | None, BeforeValidator(parsing.readable_file)] = Field(None, alias="IMAGE_MODELS")
    default_model: Annotated[str, BeforeValidator(parsing.word)] = Field("gpt-image-2.5-flare", alias="DEFAULT_MODEL")
    images_per_minute: Annotated[float, BeforeValidator(parsing.rate)] = Field(5.0, alias="IMAGES_PER_MINUTE")
    max_concurrent_jobs: Annotated[int, BeforeValidator(parsing.whole(1, 1000))] = Field(
        16, alias="MAX_CONCURRENT_JOBS"
    )
    job_timeout_s: Annotated[float | None, BeforeValidator(parsing.whole(5, 3600))] = Field(None, alias="JOB_TIMEOUT_S")
    database_url: Annotated[str, BeforeValidator(parsing.database_url)] = Field(
        "sqlite+aiosqlite:///data/easel.db", alias="DATABASE_URL", repr=False
    )
    data_dir: Annotated[Path, BeforeValidator(parsing.path)] = Field(Path("data"), alias="DATA_DIR")
    http_host: Annotated[str, BeforeValidator(parsing.word)] = Field("127.0.0.1", alias="HTTP_HOST")
    http_port: Annotated[int, BeforeValidator(parsing.whole(0, 65535))] = Field(8080, alias="HTTP_PORT")
    shard_count: Annotated[int | None, BeforeValidator(parsing.whole(1, 10_000))] = Field(None, alias="SHARD_COUNT")
    shard_ids: Annotated[tuple[int, ...] | None, BeforeValidator(parsing.shard_ids)] = Field(None, alias="SHARD_IDS")
    secret_key: Annotated[tuple[SecretStr, ...], BeforeValidator(parsing.fernet_keys)] = Field((), alias="SECRET_KEY")
    operator_budget_micro_usd: Annotated[MicroUSD | None, BeforeValidator(parsing.dollars)] = Field(
        None, alias="OPERATOR_BUDGET_USD"
    )
    default_cooldown_s: Annotated[int | None, BeforeValidator(parsing.whole_or_none(0, 2_592_000))] = Field(
        30, alias="DEFAULT_COOLDOWN_S"
    )
    default_images_per_day: Annotated[int | None, BeforeValidator(parsing.whole_or_none(0, 1_000_000))] = Field(
        50, alias="DEFAULT_IMAGES_PER_DAY"
    )
    default_budget_micro_usd: Annotated[MicroUSD | None, BeforeValidator(parsing.dollars)] = Field(
        MicroUSD(10_000_000), alias="DEFAULT_BUDGET_USD"
    )
    privacy_url: Annotated[str | None, BeforeValidator(parsing.url)] = Field(None, alias="PRIVACY_URL")
    support_url: Annotated[str | None, BeforeValidator(parsing.url)] = Field(None, alias="SUPPORT_URL")
    log_level: Annotated[str, BeforeValidator(parsing.choice("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"))] = Field(
        "INFO", alias="LOG_LEVEL"
    )
    log_format: Annotated[str, BeforeValidator(parsing.choice("console", "json"))] = Field(
        "console", alias="LOG_FORMAT"
    )

    @property
    def is_official_service(self) -> bool:
        """Whether pictures come from OpenAI itself, where retired models are refused and a key is needed."""
        host = urlsplit(self.openai_base_url or OFFICIAL_SERVICE).hostname or ""
        return host == "api.openai.com" or host.endswith(".api.openai.com")  # eu., us.: data residency

    @property
    def is_sqlite(self) -> bool:
        return self.database_url.startswith("sqlite")

    @property
    def sqlite_path(self) -> Path | None:
        """The ledger's file, None where the ledger is on PostgreSQL or in memory."""
        return parsing.sqlite_path(self.database_url)

    def secrets(self) -> tuple[str, ...]:
        """Every secret value, for the redactor: none of them may appear in a log."""
        held = (self.discord_token, self.openai_api_key, *self.secret_key)
        password = parsing.database_password(self.database_url)
        return tuple(secret.get_secret_value() for secret in held if secret) + ((password,) if password else ())


NAMES = tuple(str(field.alias) for field in Settings.model_fields.values())
"""Every variable, in the order of the documentation."""


class Reading(NamedTuple):
    """``settings`` hold the defaults where there was a fault, so that ``doctor`` can go on and look at the rest."""

    settings: Settings
    faults: tuple[str, ...]
    warnings: tuple[str, ...]


def parse_settings(values: Mapping[str, str]) -> Settings:
    """Settings from variables by their own names. Raises ``ConfigError``."""
    reading = _read(values, ())
    if reading.faults:
        raise ConfigError(reading.faults)
    return reading.settings


def read_settings(
    environ: Mapping[str, str] | None = None, folder: Path | None = None, secrets_dir: Path = SECRETS_DIR
) -> Reading:
    """What this machine says: environment, ``.env`` in ``folder`` (the current one), secret files."""
    environ = os.environ if environ is None else environ
    env_file = (folder or Path()) / ".env"
    faults: list[str] = []
    written = _env_file(env_file, faults)
    sources = (
        _named(environ),
        _from_files(environ, faults),
        _named(written),
        _from_files(written, faults),
        _from_secrets(secrets_dir, faults),
    )
    values: dict[str, str] = {}
    for source in reversed(sources):
        values.update(source)
    reading = _read(values, tuple(faults))
    return reading._replace(warnings=(*reading.warnings, *_misspelt(written)))


def load_settings(*, to_run: bool = False) -> Settings:
    """This machine's settings. Raises ``ConfigError`` with all faults; with ``to_run``, also for what running needs."""
    reading = read_settings()
    faults = reading.faults + (missing_to_run(reading.settings, reading.faults) if to_run else ())
    if faults:
        raise ConfigError(faults)
    return reading.settings


def missing_to_run(settings: Settings, faults: tuple[str, ...] = ()) -> tuple[str, ...]:
    """What is missing to connect to Discord and to the image service; what is faulty is not called missing too."""
    missing = []
    if settings.discord_token is None:
        missing.append("DISCORD_TOKEN: is not set. Create a bot at https://discord.com/developers/applications.")
    if settings.openai_api_key is None and settings.is_official_service:
        missing.append(
            "OPENAI_API_KEY: is not set. OpenAI's service needs a key; for another server, set OPENAI_BASE_URL."
        )
    return tuple(line for line in missing if not any(f.startswith(line.split(":")[0] + ":") for f in faults))


def default_limits(settings: Settings) -> tuple[Limit, ...]:
    """The limits that hold until a server's admin changes them, and the operator's own cap."""
    rows = (
        (Scope.EVERYONE, Measure.IMAGES, Period.DAY, settings.default_images_per_day),
        (Scope.SERVER, Measure.DOLLARS, Period.MONTH, settings.default_budget_micro_usd),
        (Scope.OPERATOR, Measure.DOLLARS, Period.MONTH, settings.operator_budget_micro_usd),
    )
    cooldown = settings.default_cooldown_s
    first = (Limit(Scope.EVERYONE, Measure.REQUESTS, Window(Period.SECONDS, cooldown), 1),) if cooldown else ()
    return first + tuple(
        Limit(scope, measure, Window(period), amount) for scope, measure, period, amount in rows if amount is not None
    )


def _read(values: Mapping[str, str], faults: tuple[str, ...]) -> Reading:
    given: dict[str, Any] = {name: value.strip() for name, value in values.items() if value.strip()}
    try:
        settings = Settings.model_validate(given)
    except ValidationError as error:
        wrong = {str(fault["loc"][0]): _sentence(fault["msg"]) for fault in error.errors(include_url=False)}
        faults += tuple(f"{name}: {sentence}" for name, sentence in wrong.items())
        settings = Settings.model_validate({name: value for name, value in given.items() if name not in wrong})
    return Reading(settings, faults + _together(settings), ())


def _sentence(message: str) -> str:
    return message.removeprefix("Value error, ")


def _together(settings: Settings) -> tuple[str, ...]:
    """Faults that only two variables together make."""
    if settings.shard_ids is None:
        return ()
    if settings.shard_count is None:
        return ("SHARD_IDS: needs SHARD_COUNT, the number of shards in all processes together.",)
    last = settings.shard_count - 1
    if max(settings.shard_ids) > last:
        return (
            f"SHARD_IDS: with SHARD_COUNT={last + 1} the shards are 0 to {last}; {max(settings.shard_ids)} is none.",
        )
    return ()


def _named(source: Mapping[str, str]) -> dict[str, str]:
    return {name: source[name] for name in NAMES if source.get(name, "").strip()}


def _env_file(path: Path, faults: list[str]) -> dict[str, str]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        faults.append(f".env: cannot be read ({type(error).__name__}). It must be a text file in UTF-8.")
        return {}
    return {name: value for name, value in dotenv_values(stream=StringIO(text)).items() if value is not None}


def _from_files(source: Mapping[str, str], faults: list[str]) -> dict[str, str]:
    """Values of variables whose ``NAME_FILE`` names a file."""
    found = {}
    for name in NAMES:
        path = source.get(f"{name}_FILE", "").strip()
        if path and (value := _file_value(Path(path), f"{name}_FILE", faults)) is not None:
            found[name] = value
    return found


def _from_secrets(folder: Path, faults: list[str]) -> dict[str, str]:
    """Docker secrets, called like the variable in either case."""
    found = {}
    for name in NAMES:
        for path in (folder / name.lower(), folder / name):
            if path.is_file() and (value := _file_value(path, name, faults)) is not None:
                found[name] = value
    return found


def _file_value(path: Path, name: str, faults: list[str]) -> str | None:
    try:
        data = path.read_bytes()
    except OSError as error:
        faults.append(f"{name}: {path} cannot be read ({error.strerror}).")
        return None
    try:
        if len(data) <= MAX_SECRET_FILE:
            return data.decode("utf-8-sig").strip()
        faults.append(f"{name}: {path} is no settings file; it has {len(data)} bytes.")
    except UnicodeDecodeError:
        faults.append(f"{name}: {path} is not a text file in UTF-8.")
    return None


def _misspelt(written: Mapping[str, str]) -> tuple[str, ...]:
    """Names in ``.env`` that are nearly, but not quite, a variable of Easel."""
    warnings = []
    for name in written:
        known = name.removesuffix("_FILE")
        if known in NAMES:
            continue
        near = get_close_matches(name.upper(), NAMES, n=1, cutoff=0.85)
        if near:
            warnings.append(f".env: {name} is not a setting of Easel. Is {near[0]} meant?")
    return tuple(warnings)
