"""The line that says where a job stands."""

from __future__ import annotations

from bot.ports import Progress, Stage
from bot.ui.words.catalogue import say
from bot.ui.words.numbers import duration, ordinal


def progress_line(progress: Progress, locale: str) -> str:
    """Where the job stands, in one line."""
    eta = say(locale, "progress.eta", time=duration(locale, progress.eta_s)) if progress.eta_s else None
    match progress.stage:
        case Stage.QUEUED if progress.position is not None and eta is not None:
            return say(locale, "progress.queued", position=ordinal(locale, progress.position), eta=eta)
        case Stage.QUEUED:
            return say(locale, "progress.queued_soon")
        case Stage.DRAWING if eta is not None:
            return say(locale, "progress.drawing_eta", eta=eta)
        case Stage.DRAWING:
            return say(locale, "progress.drawing")
