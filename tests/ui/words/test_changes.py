"""Changes in words, in both languages, whatever was typed into them."""

from __future__ import annotations

import pytest

from bot.rules.limits.limit import Cooldown, Limit, Measure, Period, Quota, Scope, slot_of
from bot.rules.servers.access import Defaults, Layout, ResultButton
from bot.rules.servers.changes import (
    BlockChanged,
    Change,
    DefaultsChanged,
    FallbackChanged,
    Imported,
    KeyChanged,
    LimitChanged,
    Listed,
    Lists,
    ListsChanged,
    LogChannelChanged,
    Look,
    LookChanged,
    Moderation,
    ModerationChanged,
    PauseChanged,
    PresetTaken,
    PreviewsChanged,
    Recorded,
    Reset,
    Resettable,
    ReviewChanged,
    Stop,
    Undone,
    WordsChanged,
)
from bot.ui.words.changes import change_line


def cooldown(seconds: int, scope: Scope = Scope.EVERYONE, subject: int | None = None) -> Limit:
    return Cooldown(scope, seconds, subject)


BUDGET = Quota(Scope.CHANNEL, Measure.DOLLARS, Period.DAY, 500_000, 9)
ROLE = frozenset({1, 2}), frozenset({3})
WORDS: tuple[tuple[Change, str, str], ...] = (
    (
        LimitChanged(slot_of(cooldown(30)), cooldown(30), cooldown(90)),
        "**Wait between two commands for every member:** 30 s → 90 s",
        "**Wartezeit zwischen zwei Befehlen für jedes Mitglied:** 30 s → 90 s",
    ),
    (
        LimitChanged(slot_of(BUDGET), None, BUDGET),
        "**Budget per day in <#9>:** not set → $0.50",
        "**Budget pro Tag in <#9>:** nicht gesetzt → 0,50 $",
    ),
    (
        LimitChanged(slot_of(cooldown(0, Scope.ROLE, 4)), None, cooldown(0, Scope.ROLE, 4)),
        "**Wait between two commands for members with <@&4>:** not set → no limit",
        "**Wartezeit zwischen zwei Befehlen für Mitglieder mit <@&4>:** nicht gesetzt → kein Limit",
    ),
    (
        ListsChanged(Listed.ROLES, Lists(), Lists(*ROLE)),
        "**Roles:** all → only: <@&1>, <@&2>; never: <@&3>",
        "**Rollen:** alle → nur: <@&1>, <@&2>; nie: <@&3>",
    ),
    (
        ListsChanged(Listed.MODELS, Lists(denied=frozenset({"a"})), Lists(frozenset({"b"}))),
        "**Models:** never: a → only: b",
        "**Modelle:** nie: a → nur: b",
    ),
    (
        DefaultsChanged(Defaults(), Defaults(model="m", size="16:9", private=True)),
        "**Defaults:** none → model m, size 16:9, private: yes",
        "**Voreinstellungen:** – → Modell m, Größe 16:9, privat: ja",
    ),
    (
        ModerationChanged(Moderation(), Moderation("auto", spoiler=True)),
        (
            "**Moderation:** level: members choose, spoilers: no, age-restricted only: no"
            " → level: auto, spoilers: yes, age-restricted only: no"
        ),
        (
            "**Moderation:** Stufe: wählen die Mitglieder, Spoiler: nein, nur mit Altersbeschränkung: nein"
            " → Stufe: auto, Spoiler: ja, nur mit Altersbeschränkung: nein"
        ),
    ),
    (PresetTaken("Workshop"), "**Preset:** Workshop", "**Vorlage:** Workshop"),
    (Undone(), "**Changes undone:** as they were before", "**Änderungen zurückgenommen:** wie vorher"),
    (
        LookChanged(Look(), Look(False, Layout.PLAIN, frozenset({ResultButton.PAN, ResultButton.ZOOM}))),
        "**Look of results:** cost shown, embed → cost hidden, plain, without Zoom out, Pan",
        "**Aussehen der Ergebnisse:** mit Kosten, eingebettet → ohne Kosten, schlicht, ohne Herauszoomen, Schwenken",
    ),
    (FallbackChanged(True, False), "**Stand-in models:** on → off", "**Ersatzmodelle:** an → aus"),
    (PreviewsChanged(None, True), "**Live previews:** automatic → on", "**Live-Vorschau:** automatisch → an"),
    (LogChannelChanged(None, 5), "**Log channel:** none → <#5>", "**Protokollkanal:** – → <#5>"),
    (
        BlockChanged(7, Stop(False), Stop(True, "too many")),
        "**Access of <@7>:** not blocked → blocked: too many",
        "**Zugang von <@7>:** nicht gesperrt → gesperrt: too many",
    ),
    (
        PauseChanged(Stop(False), Stop(False)),
        "**Pictures:** on (unchanged)",
        "**Bilder:** an (unverändert)",
    ),
    (
        ReviewChanged(None, 5),
        "**Review before posting:** none → <#5>",
        "**Prüfung vor dem Veröffentlichen:** – → <#5>",
    ),
    (WordsChanged(3, 4, 2, 1), "**Refused words:** 3 → 4 (+2, −1)", "**Verbotene Wörter:** 3 → 4 (+2, −1)"),
    (KeyChanged(None, "key7"), "**API key:** none → …key7", "**API-Schlüssel:** – → …key7"),
    (
        Reset(Resettable.LIMITS),
        "**Limits reset:** the operator's defaults",
        "**Limits zurückgesetzt:** die Vorgaben des Betreibers",
    ),
    (Imported(), "**Import:** from the file", "**Import:** aus der Datei"),
    (
        Recorded("limit role 4 cooldown", "none", "none"),
        "**limit role 4 cooldown:** none → none",
        "**limit role 4 cooldown:** none → none",
    ),
)


@pytest.mark.parametrize(("change", "english", "german"), WORDS)
def test_changes_are_told_in_both_languages(change: Change, english: str, german: str) -> None:
    assert change_line(change, "en-US") == english
    assert change_line(change, "de") == german


@pytest.mark.parametrize("text", ["@everyone", "[a](http://b)", "**bold**", "`x`", "<@5>"])
def test_what_was_typed_is_only_letters(text: str) -> None:
    typed = (
        PauseChanged(Stop(False), Stop(True, text)),
        ListsChanged(Listed.MODELS, Lists(), Lists(frozenset({text}))),
        DefaultsChanged(Defaults(), Defaults(size=text)),
        KeyChanged(None, text),
        Recorded("pause", "", text),
    )
    assert all(text not in change_line(change, "en-US").replace("\\<", "") for change in typed)


def test_a_list_of_a_hundred_fits_where_it_is_shown() -> None:
    many = Lists(frozenset(range(10**18, 10**18 + 100)))
    assert len(change_line(ListsChanged(Listed.ROLES, many, many), "en-US")) < 2000
