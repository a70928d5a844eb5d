"""What stands where a picture is to be: its prompt, and its place in line or a bar that moves.

Law: nothing is told by colour alone; the time is Discord's own, which counts down by itself between two edits.
"""

from __future__ import annotations

from bot.ports import Progress, Stage
from bot.rules.requests import ImageRequest
from bot.ui.pages.result import bold
from bot.ui.words.catalogue import say
from bot.ui.words.numbers import moment, ordinal
from bot.ui.words.text import cut_at_word
from bot.ui.words.titles import title_of

PROMPT_ROOM = 150
CELLS = 10
MOVED_S = 10.0
"""An estimate that moved by less is the same one."""


def progress_text(request: ImageRequest, progress: Progress, locale: str) -> str:
    """The prompt, shortened, and where its picture stands."""
    title = cut_at_word(title_of(request, locale), PROMPT_ROOM)
    line = progress_line(progress, locale)
    if request.is_words and progress.stage is Stage.DRAWING:
        line = say(locale, f"wording.{request.kind}_now")
    return f"{bold(title)}\n{line}" if title else line


def progress_line(progress: Progress, locale: str) -> str:
    """Where the job stands, in one line."""
    when = say(locale, "progress.ready", moment=moment(progress.ready_at)) if progress.ready_at else ""
    match progress.stage:
        case Stage.QUEUED if progress.position is not None:
            return say(locale, "progress.queued", position=ordinal(locale, progress.position)) + when
        case Stage.QUEUED:
            return say(locale, "progress.queued_soon") + when
        case Stage.DRAWING:
            return f"{say(locale, 'progress.drawing')} {bar(progress.share)}{when}"


def bar(share: float) -> str:
    """Ten cells, full ones first."""
    full = min(CELLS, int(share * CELLS))
    return "▰" * full + "▱" * (CELLS - full)


def is_news(progress: Progress, told: Progress | None) -> bool:
    """Whether a person would see the difference."""
    if told is None or (progress.stage, progress.position) != (told.stage, told.position):
        return True
    if bar(progress.share) != bar(told.share) or (progress.ready_at is None) != (told.ready_at is None):
        return True
    if progress.ready_at is None or told.ready_at is None:
        return False
    return abs((progress.ready_at - told.ready_at).total_seconds()) >= MOVED_S
