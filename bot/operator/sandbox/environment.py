"""The settings of a bot that runs in the sandbox: built here, for the sandbox, the tests and the measurements alike."""

from __future__ import annotations

from pathlib import Path

UNSET = (
    *("DISCORD_GUILD_ID", "SHARD_COUNT", "SHARD_IDS", "SECRET_KEY", "EASEL_CRASH_AT"),
    *("PICTURES_URL", "PICTURES_ENDPOINT", "PICTURES_REGION", "PICTURES_KEY_ID", "PICTURES_KEY"),
)
"""What this machine says about the real bot must not reach the one in the sandbox."""


def environment(
    folder: Path, *, token: str, discord: str, images: tuple[str, str] | None = None, **settings: str
) -> dict[str, str]:
    """Variables for a bot that keeps everything in ``folder``; ``settings`` win.

    ``discord`` is the base of its API. ``images``: address and key of the image service; None: what this machine says.
    Nobody waits for anybody: no cooldown, and as many pictures a minute as can be asked for.
    """
    service = {}
    if images is not None:
        service = {"OPENAI_BASE_URL": images[0], "OPENAI_API_KEY": images[1]}
        service |= dict.fromkeys(("OPENAI_ORG_ID", "OPERATOR_BUDGET_USD", "CHAT_MODEL", "CHAT_PRICES"), "")
    return {
        **dict.fromkeys(UNSET, ""),
        "DISCORD_TOKEN": token,
        "DISCORD_API_BASE": discord,
        **service,
        "DATABASE_URL": sqlite_url(folder),
        "DATA_DIR": str(folder),
        "HTTP_PORT": "0",
        "IMAGES_PER_MINUTE": "60000",
        "DEFAULT_COOLDOWN_S": "0",
        **settings,
    }


def sqlite_url(folder: Path) -> str:
    """The database file of a folder, as a setting."""
    return f"sqlite+aiosqlite:///{(folder / 'easel.db').as_posix()}"
