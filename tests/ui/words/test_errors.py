from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest

import bot.core.jobs.batches
import bot.core.servers.admin
import bot.core.servers.settings_file
from bot.rules.catalogue.catalogue import Catalogue, ModelRetired, NoSuchModel
from bot.rules.errors import Interrupted, NotFound, QueueTooLong, ServicePaused, UserError
from bot.rules.faults import Billed, Fault, FaultKind, ServiceFailed
from bot.rules.limits.decide import Refusal, Refused
from bot.rules.limits.limit import Cooldown, Measure, Period, Quota, Scope
from bot.rules.options.build import build_request
from bot.rules.options.problems import InvalidOptions, Problem
from bot.rules.options.table import RawOptions
from bot.rules.requests import Kind
from bot.rules.servers.access import AccessDenied, DeniedBecause
from bot.rules.servers.edits import BadDefaults
from bot.rules.uploads import BadUpload, Bytes, Count, Format, Options, Pixels, Size, Typed, UploadProblem
from bot.ui.words import errors
from bot.ui.words.catalogue import LANGUAGES, catalogue, has
from bot.ui.words.errors import is_worded, words
from bot.ui.words.text import CONTENT_LIMIT, length

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)


def kinds(root: type[UserError] = UserError) -> Iterator[type[UserError]]:
    for kind in root.__subclasses__():
        yield kind
        yield from kinds(kind)


def test_every_user_error_has_words() -> None:
    ours = [kind for kind in kinds() if kind.__module__.startswith(("bot.", "cogs."))]
    assert len(ours) > 20
    assert not [kind.__qualname__ for kind in ours if not is_worded(kind)]


@pytest.mark.parametrize("because", DeniedBecause)
@pytest.mark.parametrize("locale", LANGUAGES)
def test_every_denial_is_worded(because: DeniedBecause, locale: str) -> None:
    lacks = ("attach_files",) if because is DeniedBecause.BOT_LACKS else ()
    text = words(AccessDenied(because, "" if lacks else "some **reason**", lacks=lacks), locale)
    assert text
    assert "**reason**" not in text or "`some **reason**`" in text


def test_every_fault_upload_and_scope_has_a_sentence() -> None:
    keys = [f"service.{kind}" for kind in FaultKind] + [f"upload.{problem}" for problem in UploadProblem]
    keys += [f"refused.whose.{scope}" for scope in Scope] + [f"window.{period}" for period in Period]
    keys += [f"refused.{measure}" for measure in Measure]
    assert not [key for key in keys if not has(key)]


def refusal(scope: Scope, measure: Measure, period: Period, amount: int, **more: Any) -> Refusal:
    limit = Quota(scope, measure, period, amount, more.pop("subject_id", None))
    return Refusal(limit, more.pop("used", amount), more.pop("asked", 1), more.pop("resets_at", AT))


def test_a_cooldown_says_when_it_ends_and_who_can_change_it() -> None:
    text = words(Refused([Refusal(Cooldown(Scope.EVERYONE, 30), 1, 1, AT)], in_server=True), "en-US")
    assert "30 s" in text
    assert "<t:1795262400:R>" in text
    assert "/settings cooldown" in text
    assert "Manage Server" in text


def test_a_refusal_names_rule_number_and_reset() -> None:
    budget = refusal(Scope.SERVER, Measure.DOLLARS, Period.MONTH, 10_000_000, used=9_990_000, asked=53_000)
    role = refusal(Scope.ROLE, Measure.IMAGES, Period.DAY, 50, subject_id=501, asked=4)
    text = words(Refused([budget, role], in_server=True), "en-US")
    for part in (
        "$10.00 per month",
        "$9.99",
        "$0.053",
        "50 pictures per day",
        "<@&501>",
        "/settings budget",
        "/settings quota",
    ):
        assert part in text


def test_the_operators_numbers_are_nobodys_business() -> None:
    text = words(
        Refused([refusal(Scope.OPERATOR, Measure.DOLLARS, Period.MONTH, 123_000_000)], in_server=True), "en-US"
    )
    assert "123" not in text
    assert "operator" in text


def test_options_are_told_as_the_product_promises(catalogue: Catalogue) -> None:
    model = catalogue.get("gpt-image-2.5-flare")
    assert model is not None
    with pytest.raises(InvalidOptions) as caught:
        build_request(RawOptions("x", size="512x512"), model, Kind.IMAGINE)
    text = words(caught.value, "en-US")
    assert (
        "`gpt-image-2.5-flare` cannot make 512x512: both sides must be multiples of 16 and the picture must have "
        "at least 655,360 pixels. Closest: 816x816." in text
    )


def test_a_retired_model_is_told_with_date_and_successor() -> None:
    text = words(ModelRetired("dall-e-3", date(2026, 5, 12), "gpt-image-2.5-flare"), "en-US")
    assert "dall-e-3" in text
    assert "2026-05-12" in text
    assert "`gpt-image-2.5-flare`" in text


def test_a_hostile_model_name_stays_in_its_box() -> None:
    text = words(NoSuchModel("x`@everyone [a](http://b)", ("gpt-image-2",)), "en-US")
    assert text.count("`") == 6  # the name, the nearest, and /models
    assert "`gpt-image-2`" in text


@pytest.mark.parametrize(
    ("error", "parts"),
    [
        (
            BadUpload(UploadProblem.TOO_MANY_BYTES, "image", Bytes(30 * 2**20), Bytes(20 * 2**20)),
            ["30.0 MB", "at most 20.0 MB"],
        ),
        (
            BadUpload(UploadProblem.TOO_MANY_PIXELS, "image", Size(30000, 30000), Pixels(50_000_000)),
            ["(30000x30000, at most 50,000,000)"],
        ),
        (BadUpload(UploadProblem.MASK_SIZE, "mask", Size(512, 512), Size(1024, 768)), ["(512x512 and 1024x768)"]),
        (BadUpload(UploadProblem.WRONG_FORMAT, "image2", Format("heic")), ["image2", "(HEIC)", "PNG, JPEG or WebP"]),
        (BadUpload(UploadProblem.MASK_TWICE, "markup", Options(("mask", "markup"))), ["`markup` (mask and markup)."]),
        (BadUpload(UploadProblem.TOO_MANY, "image2", Count(3), Count(1)), ["(3, at most 1)"]),
        (BadUpload(UploadProblem.BAD_AREA, "area", Typed("x`y")), ["`xˋy`"]),
        (QueueTooLong(4000, 780), ["67 min", "13 min"]),
        (NotFound("picture"), ["the picture"]),
        (Interrupted(maybe_billed=True), ["billed"]),
    ],
)
def test_details_reach_the_sentence(error: UserError, parts: list[str]) -> None:
    text = words(error, "en-US")
    for part in parts:
        assert part in text


def failed(kind: FaultKind, *, charged: bool = False, own_key: bool = False, **more: Any) -> ServiceFailed:
    return ServiceFailed(
        Fault(kind, Billed.MAYBE if charged else Billed.NO, **more),
        model="gpt-image-2",
        charged=charged,
        own_key=own_key,
    )


def test_a_failure_says_whether_it_was_billed() -> None:
    assert "cost nothing" in words(failed(FaultKind.UNREACHABLE), "en-US")
    assert "may have been billed" in words(failed(FaultKind.TIMED_OUT, charged=True), "en-US")


@pytest.mark.parametrize("locale", LANGUAGES)
@pytest.mark.parametrize("of_words", [False, True])
@pytest.mark.parametrize("own_key", [False, True])
def test_whose_key_is_refused_is_who_is_asked_to_mend_it(own_key: bool, of_words: bool, locale: str) -> None:
    kinds_of_refusal = (FaultKind.BAD_KEY, FaultKind.OUT_OF_FUNDS)
    texts = [words(failed(kind, own_key=own_key), locale, of_words=of_words) for kind in kinds_of_refusal]
    for model in (None, "gpt-image-2"):
        texts.append(words(ServicePaused(model, own_key=own_key, of_words=of_words), locale))
    operator = "Der Betreiber" if locale == "de" else "The operator"
    for text in texts:
        assert ("`/settings apikey`" in text or "`/einstellungen api-schlüssel`" in text) is own_key
        assert (operator in text) is not own_key


def test_moderation_names_stage_and_category_but_no_prompt() -> None:
    text = words(failed(FaultKind.MODERATION, stage="input", categories=("violence",)), "en-US")
    assert "violence" in text
    assert "what was asked for" in text


def test_what_the_service_said_in_its_log_text_is_never_shown() -> None:
    text = words(failed(FaultKind.BAD_KEY, detail="sk-secret", code="invalid_api_key", request_id="req_1"), "en-US")
    assert "sk-secret" not in text
    assert "req_1" not in text


def test_a_bug_gets_a_reference_that_stands_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        text = words(ZeroDivisionError("token sk-1"), "en-US")
    reference = text.rsplit(" ", 1)[1]
    assert len(reference) == 6
    assert reference in caplog.text
    assert "sk-1" not in text


def test_fifty_faulty_lines_fit_one_message() -> None:
    problems = [(number, NoSuchModel("m" * 60, ("gpt-image-2", "gpt-image-1.5"))) for number in range(1, 51)]
    text = words(bot.core.jobs.batches.BatchLinesRefused(problems), "de")
    assert length(text) <= CONTENT_LIMIT
    assert "Zeile 1:" in text
    assert "weitere Zeilen" in text


def test_outside_servers_a_refusal_speaks_of_no_server_and_names_the_operator() -> None:
    limits = [
        refusal(Scope.EVERYONE, Measure.IMAGES, Period.DAY, 50),
        refusal(Scope.SERVER, Measure.DOLLARS, Period.MONTH, 10_000_000),
    ]
    english = words(Refused(limits, in_server=False), "en-US")
    german = words(Refused(limits, in_server=False), "de")
    assert "(for you, outside servers)" in english
    assert "Only the bot's operator can change this." in english
    assert "(für dich, außerhalb von Servern)" in german
    assert not any(word in english + german for word in ("/settings", "Manage Server", "whole server", "ganzen Server"))


def test_faults_of_defaults_say_that_nothing_was_changed() -> None:
    invalid = InvalidOptions("gpt-image-2", [Problem("quality", "hd")])
    english, german = (words(BadDefaults(invalid.model, invalid.problems), one) for one in ("en-US", "de"))
    assert "Nothing was changed" in english
    assert "Es wurde nichts geändert" in german
    assert "spent" not in english
    assert "nothing was spent" in words(invalid, "en-US")


def test_every_other_error_of_admins_is_a_sentence() -> None:
    for error in (
        bot.core.servers.admin.BadApiKey(True),
        bot.core.servers.admin.NotInAServer(),
        bot.core.servers.settings_file.BadImport(bot.core.servers.settings_file.Misfit("not_json")),
        errors.StaleForm(),
    ):
        assert words(error, "en-US").endswith(".")


def test_the_catalogues_have_no_empty_sentence() -> None:
    for language in LANGUAGES:
        assert all(sentence.other.strip() for sentence in catalogue(language).values())


def test_what_one_request_cannot_have_even_of_a_fresh_limit_is_not_promised_later() -> None:
    limit = Quota(Scope.EVERYONE, Measure.IMAGES, Period.HOUR, 3)
    later = datetime(2026, 3, 14, 13, 0, tzinfo=UTC)

    too_much = words(Refused([Refusal(limit, 0, 4, later)], in_server=True), "en-US")
    in_time = words(Refused([Refusal(limit, 2, 2, later)], in_server=True), "en-US")

    assert "At most 3 pictures per hour" in too_much
    assert "<t:" not in too_much
    assert "<t:" in in_time
