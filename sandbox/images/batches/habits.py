"""How servers answer that speak of batches nearly as OpenAI's does: spelling, what they leave out, how they page.

Each field is something that a gateway or a server of its own really does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sandbox.images.batches.batch import OVER

Body = dict[str, Any]


@dataclass(slots=True)
class Habits:
    """``status`` spells a state; ``tail`` makes every new id longer; ``leaves_out`` are fields of a batch that it does
    not have; ``iso``: moments are text. Lists: ``order``, ``tells_more`` (``has_more``), ``heeds_after``, and
    ``pages``: so many rows at once, whatever was asked for; ``renames``: what it calls each there.
    ``forgets``: so many times after it has told that a batch is over, it tells how that stood before. ``hides``:
    whether files are not there yet.
    """

    status: Callable[[str], str] = str
    tail: str = ""
    leaves_out: frozenset[str] = frozenset()
    iso: bool = False
    order: str = "desc"
    tells_more: bool = True
    heeds_after: bool = True
    pages: int | None = None
    renames: Callable[[str], str] = str
    forgets: int = 0
    hides: Callable[[], bool] = bool
    _before: Body | None = None
    _ends: int = 0

    def batch(self, body: Body) -> Body:
        """A batch as this server tells it."""
        told = {name: value for name, value in body.items() if name not in self.leaves_out}
        if self.hides():
            told |= {"output_file_id": None, "error_file_id": None}
        if self.iso:
            told |= {name: _text(value) for name, value in told.items() if name.endswith("_at") and value is not None}
        return {**told, "status": self.status(told["status"])}

    def looked_at(self, body: Body) -> Body:
        """A batch somebody asks for by its id."""
        told = self.batch(body)
        if body["status"] not in OVER:
            self._before = told
            return told
        self._ends += 1
        return self._before if self._before is not None and 1 < self._ends <= 1 + self.forgets else told

    def query(self, asked: dict[str, str]) -> dict[str, str]:
        """What it heeds of the question for a list of batches."""
        heeded = {**asked, "order": self.order}
        if not self.heeds_after:
            heeded.pop("after", None)
        if self.pages is not None:
            heeded["limit"] = str(self.pages)
        return heeded

    def page(self, body: Body) -> Body:
        """A page of batches as it tells it."""
        rows = [{**row, "id": self.renames(row["id"])} for row in body["data"]]
        told = {**body, "data": [self.batch(row) for row in rows]}
        if not self.tells_more:
            del told["has_more"]
        return told


def _text(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat().replace("+00:00", "Z")
