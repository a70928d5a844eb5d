"""What is asked of a model of words: a prompt from a picture, or a better one."""

from __future__ import annotations

from bot.rules.catalogue.model import Model
from bot.rules.errors import UserError
from bot.rules.options.checks import OptionChecks, Uploaded
from bot.rules.options.problems import InvalidOptions
from bot.rules.options.table import RawOptions
from bot.rules.requests import Endpoint, ImageRequest, Kind
from bot.rules.servers.access import Defaults


class NoWords(UserError):
    """No service of this bot has a model of words. Nothing was sent."""


def words_request(
    kind: Kind, raw: RawOptions, model: Model, *, locale: str, look: str | None, sizes: tuple[tuple[int, int], ...]
) -> ImageRequest:
    """The request. ``locale`` is the language in which a picture is described; ``sizes`` are the pictures sent along.

    What was chosen for the picture that may come of it (size, look) goes with it. Raises ``InvalidOptions`` for a
    prompt that says nothing, or too much.
    """
    describes = kind is Kind.DESCRIBE
    check = OptionChecks(raw, model, kind, Uploaded(sizes=sizes), Defaults(), Endpoint.CHAT)
    prompt = f"Write in the language of the code {locale}." if describes else check.prompt()
    if check.problems:
        raise InvalidOptions(model.id, check.problems)
    return ImageRequest(
        kind=kind,
        endpoint=Endpoint.CHAT,
        model=model.id,
        prompt=prompt,
        shown_prompt="" if describes else prompt,
        count=0,
        size=raw.size,
        look=look or "",
        inputs=len(sizes),
        input_sizes=sizes,
        private=True,
    )
