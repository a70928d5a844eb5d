"""Which pictures a page holds: only what the viewer may see, paged by the last job seen."""

from __future__ import annotations

from dataclasses import replace

from bot.ports import Look
from bot.ui.components.press import button
from bot.ui.panels.gallery import LOOKED_AT, MOST_LOOKS, PER_PAGE, Filter, GalleryPage, read_page, searched
from bot.ui.words.text import length
from tests.support.people import make_job


class Shelf:
    """Jobs of a place, newest first, and how often it was asked."""

    def __init__(self, count: int) -> None:
        self.jobs = [make_job(id=f"{number:05}") for number in range(count, 0, -1)]
        self.asked = 0

    async def read(self, wanted: Filter, before: str | None, limit: int) -> Look:
        self.asked += 1
        found = [job for job in self.jobs if before is None or job.id < before][:limit]
        return Look(tuple(found), found[-1].id if len(found) == limit else None)


async def test_paging_visits_every_picture_once() -> None:
    shelf = Shelf(100)
    seen: list[str] = []
    wanted = Filter()
    while True:
        page = await read_page(shelf.read, wanted, lambda _: True)
        seen += [job.id for job in page.jobs]
        assert len(page.jobs) <= PER_PAGE
        if page.next_before is None:
            break
        wanted = replace(wanted, before=page.next_before)
    assert seen == [job.id for job in shelf.jobs]


async def test_hidden_pictures_are_skipped_and_nothing_visible_is_lost() -> None:
    shelf = Shelf(200)
    visible = [job.id for job in shelf.jobs if int(job.id) % 7 == 0]
    seen: list[str] = []
    wanted = Filter()
    while True:
        page = await read_page(shelf.read, wanted, lambda job: int(job.id) % 7 == 0)
        seen += [job.id for job in page.jobs]
        if page.next_before is None:
            break
        wanted = replace(wanted, before=page.next_before)
    assert seen == visible


async def test_a_page_is_bounded_though_everything_is_hidden() -> None:
    shelf = Shelf(LOOKED_AT * MOST_LOOKS * 3)
    page = await read_page(shelf.read, Filter(), lambda _: False)
    assert page.jobs == ()
    assert page.next_before is not None
    assert shelf.asked == MOST_LOOKS


async def test_exactly_one_page_has_no_next() -> None:
    page = await read_page(Shelf(PER_PAGE).read, Filter(), lambda _: True)
    assert (len(page.jobs), page.next_before) == (PER_PAGE, None)


async def test_a_button_carries_the_whole_search_within_discords_limit() -> None:
    for typed in ("a: fox", "🦊" * 40, "x" * 300, "  two\nlines "):
        wanted = Filter(10**19, searched(typed), "J" * 20)
        assert length(wanted.custom_id) <= 100
        pressed = GalleryPage(button(wanted.custom_id, "Older"))
        assert (pressed.part("member"), pressed.part("before")) == (str(10**19), "J" * 20)
        assert pressed.part("search") == searched(typed)
    assert searched("  two\nlines ") == "two lines"
