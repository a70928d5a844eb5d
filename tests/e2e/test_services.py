"""Several services behind one bot: each model at its own, with its own key, pace and circuit."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import aiohttp
import pytest

from bot.process import status_of
from bot.rules.ledger import JobState
from sandbox.discord.model import Upload
from sandbox.gateways import DIALECTS, Gateway
from sandbox.images import ImageService
from sandbox.images.words.chat import MODEL
from tests.support.pictures import png
from tests.support.running import KEY, Town, said, town_in

KEYS = {"SCHOOL_KEY": "school-key-0123456789", "XAI_KEY": "xai-key-0123456789", "SECOND_KEY": "second-key-0123456789"}
SCHOOL_KEY, XAI_KEY, SECOND_KEY = KEYS.values()
FLARE = "gpt-image-2.5-flare"

XAI = """
[services.xai]
base_url = "{address}"
dialect = "xai"
key = "env XAI_KEY"

[models."grok@xai"]
like = "gpt-image-1"
endpoints = ["generations", "edits"]
sizes = {{ list = ["1024x1024"] }}
qualities = []
backgrounds = []
formats = []
moderations = []
fidelities = []
max_partials = 0
takes_response_format = true
per_image = {{ "*" = {{ 1024x1024 = 0.022 }} }}
"""
SCHOOL = """
[services.school]
base_url = "{address}"
dialect = "azure"
key = "env SCHOOL_KEY"
key_in = "api-key"
query = {{ api-version = "2025-04-01-preview" }}

[models."drawing@school"]
like = "dall-e-2"
endpoints = ["generations"]
"""
LOCAL = """
[services.local]
base_url = "{address}"
key_in = "none"
free = true

[models."dall-e-2@local"]
endpoints = ["generations"]
"""


class Others:
    """What stands beside the sandbox's own image service, and the file that names them."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.services: list[ImageService] = []
        self.gateways: list[Gateway] = []
        self.text = ""

    async def service(self, toml: str, key: str | None = None) -> ImageService:
        """A server that speaks the plain API; without ``key`` it refuses every key."""
        made = ImageService(mode="compatible", key=key)
        await made.start()
        self.services.append(made)
        self.text += toml.format(address=made.base_url)
        return made

    async def gateway(self, dialect: str, toml: str, *, key: str, model: str) -> Gateway:
        behind = ImageService(mode="compatible")
        await behind.start()
        self.services.append(behind)
        made = Gateway(DIALECTS[dialect], behind, key=key, models=(model,))
        await made.start()
        self.gateways.append(made)
        self.text += toml.format(address=made.base_url)
        return made

    async def restart(self, **settings: str) -> None:
        file = self.town.folder / "models.toml"
        file.write_text(self.text, encoding="utf-8")
        keys = {name: KEYS[name] for name in re.findall(r'"env (\w+)"', self.text)}
        await self.town.restart(IMAGE_MODELS=str(file), **keys, **settings)

    async def stop(self) -> None:
        await self.town.stop()
        for one in (*self.gateways, *self.services):
            await one.stop()


@asynccontextmanager
async def others_of(town: Town) -> AsyncIterator[Others]:
    others = Others(town)
    try:
        yield others
        await town.check()
    finally:
        await others.stop()


@pytest.fixture
async def town(tmp_path) -> AsyncIterator[Town]:
    async with town_in(tmp_path) as town:
        yield town


@pytest.fixture
async def others(town) -> AsyncIterator[Others]:
    async with others_of(town) as made:
        yield made


async def test_three_services_at_once_each_model_at_its_own_and_no_key_anywhere_else(town, others, caplog):
    local = await others.service(LOCAL)
    school = await others.gateway("Azure OpenAI, classic addresses", SCHOOL, key=SCHOOL_KEY, model="drawing")
    await others.restart()

    asked = [await town.imagine(model=model) for model in (FLARE, "dall-e-2@local", "drawing@school")]
    for one in asked:
        assert (await town.answer(one)).attachments, one.messages

    assert [len(one.calls) for one in (town.images, local)] == [1, 1]
    assert [one.path for one in school.asked] == [
        "/openai/deployments/drawing/images/generations?api-version=2025-04-01-preview"
    ]
    (headers,) = (one.headers for one in school.asked)
    assert headers["api-key"] == SCHOOL_KEY
    assert "Authorization" not in headers
    assert [job.state for job in await town.jobs()] == [JobState.SETTLED] * 3
    costs = {job.request.model: job.charged_micro_usd for job in await town.jobs()}
    assert costs["dall-e-2@local"] == 0
    assert min(costs[FLARE], costs["drawing@school"]) > 0
    assert not re.search(f"{KEY}|{SCHOOL_KEY}", caplog.text)


async def test_a_keyless_server_is_sent_no_key_at_all(town, others):
    asked: list[dict[str, str]] = []
    local = await others.gateway("LocalAI", LOCAL, key="", model="dall-e-2")
    await others.restart()
    assert (await town.answer(await town.imagine(model="dall-e-2@local"))).attachments
    asked += [dict(one.headers) for one in local.asked]
    assert asked
    assert not any({"authorization", "api-key"} & {name.lower() for name in one} for one in asked)


async def test_xais_edits_are_json_with_the_picture_in_it(town, others):
    xai = await others.gateway("xAI", XAI, key=XAI_KEY, model="grok")
    await others.restart()
    given = {"prompt": "make it red", "model": "grok@xai"}
    photos = [Upload(f"{name}.png", png(256)) for name in "ab"]
    one = await town.world.slash(town.member, town.general, "/edit", {**given, "image": photos[0]})
    assert (await town.answer(one)).attachments, one.messages
    two = await town.world.slash(town.member, town.general, "/edit", {**given, "image": photos[0], "image2": photos[1]})
    assert (await town.answer(two)).attachments, two.messages

    first, second = xai.asked
    assert (first.path, first.headers["Content-Type"]) == ("/v1/images/edits", "application/json")
    assert first.fields["image"]["url"].startswith("data:image/png;base64,")
    assert [len(asked.files) for asked in (first, second)] == [1, 2]
    assert first.headers["Authorization"] == f"Bearer {XAI_KEY}"


WORDS = f"""
[services.writer]
base_url = "{{address}}"
key = "env SECOND_KEY"
chat_model = "{MODEL}"
chat_prices = {{{{ input = 0.15, output = 0.60 }}}}
"""


async def test_words_come_from_the_service_that_has_a_model_of_words_with_its_key_alone(town, others):
    writer = await others.service(WORDS, key=SECOND_KEY)
    await others.restart()
    described = await town.run("describe", image=Upload("fox.png", png(64, 64)))
    await town.quiet()
    assert "A prompt for this picture" in said(described)
    (asked,) = writer.calls
    assert asked.endpoint == "chat"
    assert town.images.calls == []
    (job,) = await town.jobs()
    assert (job.request.model, job.state) == (f"{MODEL}@writer", JobState.SETTLED)


@pytest.mark.smoke
async def test_one_services_refused_key_stops_its_model_and_nothing_else(town, others, unused_tcp_port_factory):
    await others.gateway("Azure OpenAI, classic addresses", SCHOOL, key="another-key", model="drawing")
    await others.restart(HTTP_PORT=str(unused_tcp_port_factory()))
    first = await town.answer(await town.imagine(model="drawing@school"))
    second = await town.answer(await town.imagine(model="drawing@school"))
    assert "drawing@school" in second.content
    assert not first.attachments
    assert (await town.answer(await town.imagine(model=FLARE, quality="low"))).attachments
    assert [job.state for job in await town.jobs()] == [JobState.RELEASED, JobState.SETTLED]
    async with aclosing(status_of(town.app)) as pages:
        await pages.start()
        host, port = pages.address
        async with aiohttp.ClientSession(f"http://{host}:{port}") as session:
            async with session.get("/readyz") as answer:
                assert answer.status == 200
                told = (await answer.json())["checks"]
            async with session.get("/metrics") as answer:
                figures = await answer.text()
    assert told["image service"] == "ok"
    assert "does not take the key" in told["image service school"]
    assert 'easel_service_shut_off{service="school"} 1.0' in figures
    assert 'easel_service_shut_off{service="default"} 0.0' in figures


@pytest.mark.parametrize("writer", [False, True])
async def test_the_last_service_that_draws_and_whose_key_is_refused_makes_the_bot_unready(
    town, others, unused_tcp_port_factory, writer
):
    """One that has only a model of words does not help who wants a picture."""
    if writer:
        await others.service(WORDS, key=SECOND_KEY)
    await others.restart(HTTP_PORT=str(unused_tcp_port_factory()))
    town.images.key = "another-key"
    refused = await town.answer(await town.imagine(quality="low"))
    assert not refused.attachments
    async with aclosing(status_of(town.app)) as pages:
        await pages.start()
        host, port = pages.address
        async with aiohttp.ClientSession() as session, session.get(f"http://{host}:{port}/readyz") as answer:
            assert answer.status == 503
            assert "does not take the key" in (await answer.json())["checks"]["image service"]


SECOND = f"""
[services.second]
base_url = "{{address}}"
key = "env SECOND_KEY"

[models."{FLARE}"]
instead = ["{FLARE}@second"]

[models."{FLARE}@second"]
"""


@pytest.mark.parametrize("fault", ["rate_limited", "insufficient_quota", "bad_key", "refused connection"])
async def test_a_second_key_draws_where_the_first_draws_nothing_and_the_result_says_so(town, others, fault: str):
    second = await others.service(SECOND, SECOND_KEY)
    await others.restart()
    if fault == "refused connection":
        await town.images.stop()
    else:
        town.images.fail_next(fault, times=None)

    message = await town.answer(await town.imagine(quality="low"))

    assert message.attachments, message.content
    assert f"Drawn by {FLARE}@second" in str(message.embeds)
    (job,) = await town.jobs()
    assert (job.state, job.bill.drawn_by, job.reserved_micro_usd) == (JobState.SETTLED, f"{FLARE}@second", 0)
    assert [call.fields["model"] for call in second.calls] == [FLARE]
    assert not any(call.rendered for call in town.images.calls)


async def test_what_may_have_been_drawn_is_not_drawn_again_elsewhere(town, others):
    second = await others.service(SECOND, SECOND_KEY)
    await others.restart()
    town.images.fail_next("made_but_500")
    message = await town.answer(await town.imagine(quality="low"))
    assert "may have been billed" in message.content
    assert second.calls == []
    assert [job.state for job in await town.jobs()] == [JobState.UNKNOWN]


async def test_an_admin_forbids_stand_ins_and_allows_them_again(town, others):
    second = await others.service(SECOND, SECOND_KEY)
    await others.restart()
    town.images.fail_next("insufficient_quota", times=None)
    off = await town.world.slash(town.admin, town.general, "/settings models", {"fallback": False})
    assert "Stand-in models:** on → off" in (await town.answer(off)).content
    assert not (await town.answer(await town.imagine(quality="low"))).attachments
    assert second.calls == []
    on = await town.world.slash(town.admin, town.general, "/settings models", {"fallback": True})
    await town.answer(on)
    assert (await town.answer(await town.imagine(quality="low"))).attachments
