"""Raw words to an ``ImageRequest``, or every problem at once, each with the nearest that works.

Law: what a person asked for is sent or told as a problem, never dropped; a server's default that does not fit the
model, or what the person chose beside it, is dropped without a word. What a model does not have is never sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from bot.rules.catalogue.model import Model, usual_quality
from bot.rules.options.checks import OptionChecks, Uploaded, as_spelt, endpoint_of, words_for
from bot.rules.options.problems import InvalidOptions
from bot.rules.options.prompts import clean_prompt, says_nothing
from bot.rules.options.sizes import suggest_sizes
from bot.rules.options.table import NAMED, OPTIONS, RawOptions
from bot.rules.requests import ImageRequest, Kind
from bot.rules.servers.access import Defaults

NO_UPLOADS = Uploaded()
NO_DEFAULTS = Defaults()

MOST_SUGGESTIONS = 25
"""What Discord shows at once."""


def build_request(
    raw: RawOptions,
    model: Model,
    kind: Kind,
    *,
    uploaded: Uploaded = NO_UPLOADS,
    defaults: Defaults = NO_DEFAULTS,
    previews_allowed: bool | None = None,
    moderation_floor: str | None = None,
    others: Sequence[Model] = (),
) -> ImageRequest:
    """The request, ready to price and send. Raises ``InvalidOptions`` with every problem.

    A server's default that the chosen model does not have is left out; what a person asked for never is.
    ``previews_allowed`` None: previews where they add little to the price, unless the member said otherwise; True: for
    all; False: for none. ``moderation_floor`` is the least strict moderation a member may have, and what is sent when
    nobody asked. ``others`` are the models one could choose instead, to name one where this cannot do it at all.
    """
    check = OptionChecks(raw, model, kind, uploaded, defaults, endpoint_of(model, kind))
    check.endpoint_exists(others)
    prompt = check.prompt()
    typed = clean_prompt(raw.prompt)
    quality = check.word("quality", defaults.quality, usual_quality(model))
    usual: dict[str, Any] = {one.name: check.usual(one) for one in OPTIONS if one.model_field and not one.has_own_check}
    image_format = check.format(usual["background"])
    count = check.count(image_format)
    frames = check.frames(image_format)
    check.lay_out(frames)
    check.uploads(image_format)
    request = ImageRequest(
        kind=kind,
        endpoint=check.endpoint,
        model=model.id,
        prompt=prompt,
        shown_prompt="" if says_nothing(typed) else typed,
        based_on=uploaded.based_on if kind is Kind.VARY else "",
        way=uploaded.way,
        count=count,
        calls=count if model.one_per_call else 1,
        size=check.size(),
        quality=quality,
        format=image_format,
        compression=check.compression(image_format),
        moderation=check.moderation(moderation_floor),
        frames=frames,
        frame_ms=check.frame_ms(image_format),
        inputs=len(uploaded.sizes),
        input_sizes=uploaded.sizes,
        has_mask=uploaded.has_mask,
        has_markup=uploaded.has_markup,
        private=raw.private if raw.private is not None else bool(defaults.private),
        look=raw.look,
        **usual,
    )
    request = replace(request, partial_images=check.partials(previews_allowed, request))
    if check.problems:
        raise InvalidOptions(model.id, check.problems)
    return request


def suggest(option: str, typed: str, model: Model, kind: Kind) -> tuple[str, ...]:
    """Up to 25 completions of an option that takes words, for this model; all of them are legal."""
    if option == "size":
        return tuple(suggest_sizes(model.sizes, typed)[:MOST_SUGGESTIONS])
    values = words_for(NAMED[option], model, endpoint_of(model, kind)) if option in NAMED else ()
    wanted = as_spelt(typed)
    begin = [value for value in values if value.startswith(wanted)]
    hold = [value for value in values if wanted in value and value not in begin]
    return tuple([*begin, *hold][:MOST_SUGGESTIONS])
