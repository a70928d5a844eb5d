"""All settings, typed; every fault told at once, each by the name of its variable, and never with a secret in it.

A value is looked for in this order: the environment, the file that ``NAME_FILE`` names, ``.env`` (``NAME`` or
``NAME_FILE``), a Docker secret ``/run/secrets/<name>``. An empty value counts as not set. Nothing is read at import.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from bot.ports import CannotStart
from bot.rules.catalogue.official import OFFICIAL_SERVICE, is_official
from bot.rules.limits.limit import Cooldown, Limit, Measure, Period, Quota, Scope
from bot.rules.money import MicroUSD, TokenPrices
from bot.settings import parsing

DISCORD = "https://discord.com/api/v10"


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
    openai_base_url: Annotated[str | None, BeforeValidator(parsing.service_url)] = Field(None, alias="OPENAI_BASE_URL")
    openai_org_id: Annotated[str | None, BeforeValidator(parsing.word)] = Field(None, alias="OPENAI_ORG_ID")
    openai_project_id: Annotated[str | None, BeforeValidator(parsing.word)] = Field(None, alias="OPENAI_PROJECT_ID")
    image_models: Annotated[Path | None, BeforeValidator(parsing.readable_file)] = Field(None, alias="IMAGE_MODELS")
    chat_model: Annotated[str | None, BeforeValidator(parsing.word)] = Field(None, alias="CHAT_MODEL")
    chat_prices: Annotated[TokenPrices | None, BeforeValidator(parsing.token_prices)] = Field(None, alias="CHAT_PRICES")
    presets: Annotated[Path | None, BeforeValidator(parsing.readable_file)] = Field(None, alias="PRESETS")
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
    pictures_url: Annotated[str | None, BeforeValidator(parsing.bucket_url)] = Field(None, alias="PICTURES_URL")
    pictures_endpoint: Annotated[str | None, BeforeValidator(parsing.storage_endpoint)] = Field(
        None, alias="PICTURES_ENDPOINT"
    )
    pictures_region: Annotated[str | None, BeforeValidator(parsing.word)] = Field(None, alias="PICTURES_REGION")
    pictures_key_id: Annotated[str | None, BeforeValidator(parsing.word)] = Field(None, alias="PICTURES_KEY_ID")
    pictures_key: Annotated[SecretStr | None, BeforeValidator(parsing.secret)] = Field(None, alias="PICTURES_KEY")
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
    prompts_kept_days: Annotated[int | None, BeforeValidator(parsing.whole_or_none(1, 36_500))] = Field(
        None, alias="PROMPTS_KEPT_DAYS"
    )
    privacy_url: Annotated[str | None, BeforeValidator(parsing.url)] = Field(None, alias="PRIVACY_URL")
    support_url: Annotated[str | None, BeforeValidator(parsing.url)] = Field(None, alias="SUPPORT_URL")
    ai_notice: Annotated[str | None, BeforeValidator(parsing.notice)] = Field(None, alias="AI_NOTICE")
    log_level: Annotated[str, BeforeValidator(parsing.choice("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"))] = Field(
        "INFO", alias="LOG_LEVEL"
    )
    log_format: Annotated[str, BeforeValidator(parsing.choice("console", "json"))] = Field(
        "console", alias="LOG_FORMAT"
    )

    service_secrets: dict[str, SecretStr] = Field({}, repr=False)
    """What the services of ``IMAGE_MODELS`` name as ``env NAME`` or ``file PATH``, as far as it was found."""

    @property
    def is_official_service(self) -> bool:
        """Whether pictures come from OpenAI itself, where retired models are refused and a key is needed."""
        return is_official(self.openai_base_url or OFFICIAL_SERVICE)

    @property
    def is_sqlite(self) -> bool:
        return self.database_url.startswith("sqlite")

    @property
    def sqlite_path(self) -> Path | None:
        """The ledger's file, None where the ledger is on PostgreSQL or in memory."""
        return parsing.sqlite_path(self.database_url)

    def secrets(self) -> tuple[str, ...]:
        """Every secret value, for the redactor: none of them may appear in a log."""
        held = (
            *(self.discord_token, self.openai_api_key, self.pictures_key),
            *(*self.secret_key, *self.service_secrets.values()),
        )
        password = parsing.database_password(self.database_url)
        return tuple(secret.get_secret_value() for secret in held if secret) + ((password,) if password else ())


NAMES = tuple(field.alias for field in Settings.model_fields.values() if field.alias is not None)
"""Every variable, in the order of the documentation."""


def default_limits(settings: Settings) -> tuple[Limit, ...]:
    """The limits that hold until a server's admin changes them, and the operator's own cap."""
    rows = (
        (Scope.EVERYONE, Measure.IMAGES, Period.DAY, settings.default_images_per_day),
        (Scope.SERVER, Measure.DOLLARS, Period.MONTH, settings.default_budget_micro_usd),
        (Scope.OPERATOR, Measure.DOLLARS, Period.MONTH, settings.operator_budget_micro_usd),
    )
    cooldown = settings.default_cooldown_s
    first: tuple[Limit, ...] = (Cooldown(Scope.EVERYONE, cooldown),) if cooldown else ()
    return first + tuple(
        Quota(scope, measure, period, amount) for scope, measure, period, amount in rows if amount is not None
    )
