"""What greets somebody new: the card, with the things to press on it, and the guide."""

from typing import Any

import pytest


async def test_the_guide_answers_who_says_hello_and_nobody_else_sees_it(sandbox: Any, person: Any) -> None:
    world, town = sandbox.world, sandbox.world.town
    for who, said in ((town.member, "Hello there!"), (town.admin_abroad, "Moin"), (town.painter, "hellish weather")):
        await person(who).act("say", {"channel": str(town.general.id), "content": said})
    answers = [one for one in world.history(town.general) if one.ephemeral]
    assert [one.ephemeral_for for one in answers] == [town.member.id, town.admin_abroad.id]
    assert "A boat" in answers[0].content
    assert "Hallo Greta!" in answers[1].content
    assert "Ein Boot" in answers[1].content


async def test_the_card_is_in_the_language_of_whoever_looks(sandbox: Any, person: Any) -> None:
    town = sandbox.world.town
    _, here = await person(town.member).ask("welcome")
    _, there = await person(town.moderator).ask("welcome")
    assert (here["channel"], here["samples"]) == (str(town.general.id), True)
    assert [one["label"] for one in here["steps"]][:2] == ["A boat", "This photo"]
    assert [one["label"] for one in there["steps"]][:2] == ["Ein Boot", "This photo"]
    assert here["steps"][2]["person"] == str(town.admin.id)
    assert there["steps"][2]["person"] == str(town.admin_abroad.id)


@pytest.mark.browser
async def test_what_is_pressed_on_the_card_stands_in_the_box_ready_to_be_sent(tab: Any, sandbox: Any, png: Any) -> None:
    card = tab.get_by_role("region", name="Try it")
    await card.get_by_role("button", name="A boat").click()
    await tab.locator("#option-prompt").wait_for()
    assert await tab.get_by_role("listbox").count() == 0
    await tab.keyboard.press("Enter")
    await tab.locator(".embed-title", has_text="a boat").wait_for()
    await tab.get_by_role("button", name="#pictures").click()
    await tab.get_by_role("heading", name="pictures", exact=True).wait_for()
    await tab.get_by_role("button", name="Pinned").click()
    await tab.get_by_role("dialog").get_by_role("button", name="This photo").click()
    await tab.locator(".pill-file", has_text="photo.jpg").wait_for()
    await tab.keyboard.press("Enter")
    await tab.get_by_text(f"photo.jpg has {len(png('navy'))} bytes").wait_for()
    assert await tab.get_by_role("heading", name="general", exact=True).count() == 1


@pytest.mark.browser
async def test_one_becomes_somebody_else_and_breaks_something(tab: Any, sandbox: Any) -> None:
    card = tab.get_by_role("region", name="Try it")
    await card.get_by_role("button", name="Be the admin").click()
    await tab.locator("#me .me-names", has_text="Ada").wait_for()
    await tab.get_by_role("option", name="/silent").wait_for()
    await tab.keyboard.press("Escape")
    await card.get_by_role("button", name="Break something").click()
    await tab.get_by_role("tab", name="Faults", selected=True).wait_for()
    await tab.get_by_role("group", name="Slow service").wait_for()
