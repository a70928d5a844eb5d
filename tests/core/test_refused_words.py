"""A refused word is found in every text that is looked at, a long one too, before anything is reserved."""

from __future__ import annotations

import pytest

from bot.core.refused_words import LONG, RefusedWords
from bot.ports import NullMeter
from bot.rules.options.table import RawOptions
from bot.rules.requests import Kind
from bot.rules.servers.edits import refusing
from bot.rules.servers.words.words import RefusedWord
from tests.core.conftest import Core

AT_LENGTH = "a wood at night, " * (LONG // 15)


@pytest.mark.parametrize(
    ("prompt", "about"),
    [("a badger", ""), (f"{AT_LENGTH} a badger", ""), ("a fox", "a badger"), ("a fox", f"{AT_LENGTH} a badger")],
)
async def test_wherever_it_stands(core: Core, prompt: str, about: str) -> None:
    await core.store.servers.change_settings(core.asker().place, refusing(frozenset({"badger"})), 9, core.now)
    with pytest.raises(RefusedWord):
        await core.intake.prepare(core.asker(), Kind.IMAGINE, RawOptions(prompt), about=about)
    innocent = (prompt.replace("badger", "fox"), about.replace("badger", "fox"))
    await core.intake.prepare(core.asker(), Kind.IMAGINE, RawOptions(innocent[0]), about=innocent[1])


class Counting(NullMeter):
    prompts = 0

    def words_refused(self, prompts: int) -> None:
        self.prompts += prompts


async def test_what_was_refused_is_counted_for_the_operator_and_the_admins(core: Core) -> None:
    meter, here = Counting(), core.asker().place
    await RefusedWords(core.store.servers, meter, lambda: core.now).count(here, 3)
    assert (meter.prompts, await core.store.servers.words_refused(here, core.now)) == (3, 3)
