"""Where settings come from: environment, ``.env``, ``NAME_FILE`` and Docker secrets; all faults at once."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

from dotenv import dotenv_values
from dotenv.parser import parse_stream
from pydantic import SecretStr, ValidationError

from bot.rules.catalogue.services import file_of, setting_of
from bot.settings.model import NAMES, ConfigError, Settings
from bot.settings.services import is_default_used, secrets_wanted

SECRETS_DIR = Path("/run/secrets")


MAX_SECRET_FILE = 64 * 1024


class Reading(NamedTuple):
    """``settings`` hold the defaults where there was a fault, so that ``doctor`` can go on and look at the rest."""

    settings: Settings
    faults: tuple[str, ...]
    warnings: tuple[str, ...]


def parse_settings(values: Mapping[str, str]) -> Settings:
    """Settings from variables by their own names, and those that services name. Raises ``ConfigError``."""
    models = values.get("IMAGE_MODELS", "").strip()
    theirs = {setting_of(wanted) for wanted in secrets_wanted(Path(models) if models else None)} - set(NAMES)
    reading = _read({name: value for name, value in values.items() if name not in theirs}, ())
    reading = _with_secrets(reading, lambda names: _named(values, names))
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
    written = read_env_file(env_file, faults)

    def found(names: Sequence[str]) -> dict[str, str]:
        sources = (
            _named(environ, names),
            _from_files(environ, names, faults),
            _named(written, names),
            _from_files(written, names, faults),
            _from_secrets(secrets_dir, names, faults),
        )
        values: dict[str, str] = {}
        for source in reversed(sources):
            values.update(source)
        return values

    values = found(NAMES)
    reading = _with_secrets(_read(values, tuple(faults)), found)
    return reading._replace(warnings=(*reading.warnings, *_misspelt(written, reading.settings)))


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
    if settings.openai_api_key is None and settings.is_official_service and is_default_used(settings.image_models):
        missing.append(
            "OPENAI_API_KEY: is not set. OpenAI's service needs a key; for another server, set OPENAI_BASE_URL."
        )
    return tuple(line for line in missing if not any(f.startswith(line.split(":")[0] + ":") for f in faults))


def _read(values: Mapping[str, str], faults: tuple[str, ...]) -> Reading:
    given: dict[str, Any] = {name: value.strip() for name, value in values.items() if value.strip()}
    try:
        settings = Settings.model_validate(given)
    except ValidationError as error:
        wrong = {str(fault["loc"][0]): _sentence(fault["msg"]) for fault in error.errors(include_url=False)}
        faults += tuple(f"{name}: {sentence}" for name, sentence in wrong.items())
        settings = Settings.model_validate({name: value for name, value in given.items() if name not in wrong})
    return Reading(settings, faults + _together(settings, faults), ())


def _sentence(message: str) -> str:
    return message.removeprefix("Value error, ")


def _together(settings: Settings, faults: tuple[str, ...]) -> tuple[str, ...]:
    """Faults that only two variables together make; a variable with a fault of its own makes no others."""
    return _of_shards(settings) + (() if are_pictures_faulty(faults) else _of_pictures(settings))


def are_pictures_faulty(faults: tuple[str, ...]) -> bool:
    """Whether what is said of the place for pictures is not to be believed."""
    return any(fault.startswith("PICTURES_") for fault in faults)


def _of_pictures(settings: Settings) -> tuple[str, ...]:
    given = {
        "PICTURES_ENDPOINT": settings.pictures_endpoint,
        "PICTURES_REGION": settings.pictures_region,
        "PICTURES_KEY_ID": settings.pictures_key_id,
        "PICTURES_KEY": settings.pictures_key,
    }
    if settings.pictures_url is None:
        return tuple(f"{name}: means nothing without PICTURES_URL." for name, value in given.items() if value)
    if settings.pictures_url.startswith("gs://") and (settings.pictures_key_id or settings.pictures_key):
        return ("PICTURES_KEY: for gs:// the key comes from GOOGLE_APPLICATION_CREDENTIALS.",)
    if bool(settings.pictures_key_id) != bool(settings.pictures_key):
        return ("PICTURES_KEY: goes together with PICTURES_KEY_ID; set both, or neither.",)
    return ()


def _of_shards(settings: Settings) -> tuple[str, ...]:
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


def _with_secrets(reading: Reading, found: Callable[[Sequence[str]], dict[str, str]]) -> Reading:
    """With the secrets that services name. What is missing is told when the services are put together."""
    secrets: dict[str, str] = {}
    for wanted in secrets_wanted(reading.settings.image_models):
        if (setting := setting_of(wanted)) is not None:
            value = found([setting]).get(setting, "").strip()
        else:
            value = _file_value(Path(file_of(wanted) or ""), "IMAGE_MODELS", []) or ""
        if value:
            secrets[wanted] = value
    if not secrets:
        return reading
    hidden = {name: SecretStr(value) for name, value in secrets.items()}
    return reading._replace(settings=reading.settings.model_copy(update={"service_secrets": hidden}))


def _named(source: Mapping[str, str], names: Sequence[str]) -> dict[str, str]:
    return {name: source[name] for name in names if source.get(name, "").strip()}


def read_env_file(path: Path, faults: list[str]) -> dict[str, str]:
    """What a ``.env`` says; ``faults`` is told why it could not be read. One that is not there says nothing."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        faults.append(f".env: cannot be read ({type(error).__name__}). It must be a text file in UTF-8.")
        return {}
    lines = list(parse_stream(StringIO(text)))
    faults += [_unreadable(line.original.string, line.original.line) for line in lines if line.error]
    good = "".join(line.original.string for line in lines if not line.error)
    return {name: value for name, value in dotenv_values(stream=StringIO(good)).items() if value is not None}


def _unreadable(line: str, number: int) -> str:
    """What is said of a line that is no assignment: its number and the setting, never its value."""
    name = re.match(r"\s*(?:export\s+)?['\"]?([A-Za-z_]\w*)", line)
    known = name is not None and name[1].removesuffix("_FILE") in NAMES
    about = name[1] if name is not None and known else ".env"
    return f"{about}: line {number} of .env cannot be read. Write NAME=value; a quotation mark that opens must close."


def _from_files(source: Mapping[str, str], names: Sequence[str], faults: list[str]) -> dict[str, str]:
    """Values of variables whose ``NAME_FILE`` names a file."""
    found = {}
    for name in names:
        path = source.get(f"{name}_FILE", "").strip()
        if path and (value := _file_value(Path(path), f"{name}_FILE", faults)) is not None:
            found[name] = value
    return found


def _from_secrets(folder: Path, names: Sequence[str], faults: list[str]) -> dict[str, str]:
    """Docker secrets, called like the variable in either case."""
    found = {}
    for name in names:
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


def _misspelt(written: Mapping[str, str], settings: Settings) -> tuple[str, ...]:
    """Names in ``.env`` that are nearly, but not quite, a variable of Easel, and that no service names."""
    theirs = {setting_of(wanted) for wanted in settings.service_secrets}
    warnings = []
    for name in written:
        known = name.removesuffix("_FILE")
        if known in NAMES or known in theirs:
            continue
        near = get_close_matches(name.upper(), NAMES, n=1, cutoff=0.85)
        if near:
            warnings.append(f".env: {name} is not a setting of Easel. Is {near[0]} meant?")
    return tuple(warnings)
