"""A server's saved looks in its settings file: written, and read strictly."""

from __future__ import annotations

from typing import Any

from bot.core.servers.misfit import Misfit
from bot.rules.errors import UserError
from bot.rules.styles.style import MOST_SERVERS, OPTIONS, PROMPT_CHARS, Option, Style, make_style, with_hole

KEYS = {"name", "prompt", "model", "options"}
MOST_CHARS = PROMPT_CHARS + len(with_hole("x"))
VALUE_CHARS = 40


def style_out(style: Style) -> dict[str, Any]:
    return {"name": style.name, "prompt": style.prompt, "model": style.model, "options": dict(style.options)}


def styles_in(given: Any, faults: list[UserError]) -> tuple[Style, ...]:
    """What the model makes of the options is seen when a look is used: here only their form is checked."""
    if not isinstance(given, list) or len(given) > MOST_SERVERS:
        faults.append(Misfit("styles", "styles", most=MOST_SERVERS))
        return ()
    styles = []
    for number, item in enumerate(given, start=1):
        try:
            styles.append(_style_in(item))
        except UserError:
            faults.append(Misfit("style", f"styles[{number}]"))
    if len({style.key for style in styles}) < len(styles):
        faults.append(Misfit("style_twice", "styles"))
    return tuple(sorted(styles, key=lambda style: style.key))


def _style_in(item: Any) -> Style:
    if not isinstance(item, dict) or set(item) != KEYS or not isinstance(item["options"], dict):
        raise Misfit("style")
    name, prompt, model = item["name"], item["prompt"], item["model"]
    texts = isinstance(name, str) and isinstance(prompt, str) and (model is None or isinstance(model, str))
    if not texts or len(prompt) > MOST_CHARS or len(model or "") > 100:
        raise Misfit("style")
    options = item["options"]
    if set(options) - set(OPTIONS) or not all(_is_option(name, value) for name, value in options.items()):
        raise Misfit("style")
    return make_style(name, prompt, model=model, options=options, servers=True)


def _is_option(name: str, value: Option) -> bool:
    if name == "compression":
        return type(value) is int and 0 <= value <= 100
    return isinstance(value, str) and 0 < len(value) <= VALUE_CHARS
