"""What is sent: held against OpenAI's own description of its API, and against what the SDK 3.54.0 adds to it."""

from __future__ import annotations

import json
import os
from inspect import signature
from pathlib import Path
from typing import Any

import httpx2
import jsonschema_rs
import pytest
from openai import omit
from openai.resources.images import AsyncImages

from bot.adapters.openai.clients import Account, Clients
from bot.adapters.openai.wire import call_arguments, dispensable
from bot.ports import OperatorPays
from bot.rules.catalogue.load import builtin_catalogue, load_catalogue
from bot.rules.catalogue.services import KeyPlace, Service
from bot.rules.faults import Billed, FaultKind, ServiceFault
from bot.rules.options.table import OPTIONS, Option
from bot.rules.requests import Endpoint, Inputs, Kind
from tests.adapters.openai.fault_server import (
    ONE_INPUT,
    Behaviour,
    error,
    json_reply,
    picture,
    pictures,
    request,
    upload,
)

CATALOGUE = load_catalogue(builtin_catalogue())
EDIT = {"kind": Kind.EDIT, "endpoint": Endpoint.EDITS}
VARY = {"kind": Kind.VARY, "endpoint": Endpoint.VARIATIONS}

# In the types of openai 3.54.0, not yet in the OpenAPI document.
NEWER = {
    "safety_identifier": str,
    "complexity": str,
    "frame_count": int,
    "frame_duration_ms": int,
    "markup": object,
    "moderation": str,
}
NEWER_VALUES = {"output_format": {"gif", "svg"}, "quality": {"xhigh", "max"}}

REQUESTS = (
    request(),
    request(count=4, size="1536x1024", quality="high", background="transparent", format="webp", compression=80),
    request(moderation="low", complexity="high", quality="max"),
    request(format="gif", frames=9, frame_ms=200),
    request(format="svg", size="auto"),
    request(model="old", style="vivid", quality="hd", count=4, calls=4, size="1792x1024"),
    request(partial_images=3),
)
EDITS = (
    request(**EDIT),
    request(**EDIT, fidelity="high", moderation="low", count=2, size="1024x1536", quality="low", format="jpeg"),
    request(**EDIT, partial_images=1, background="opaque", complexity="low"),
    request(**EDIT, model="old", size="512x512"),
)
VARIATIONS = (request(**VARY, model="old", count=3, size="512x512"), request(**VARY))


async def listen(_: object) -> None:
    return


async def sent(server, connect, asked, inputs=None, **more: Any):
    server.does(pictures(*[picture()] * asked.count))
    given = {"payer": OperatorPays(), "member_tag": "tag-7", "deadline_s": 20, "on_partial": listen, **more}
    await connect().make(asked, inputs or (Inputs() if asked.endpoint is Endpoint.GENERATIONS else ONE_INPUT), **given)
    assert len(server.posts) == 1
    return server.posts[0]


def specification() -> dict[str, Any]:
    root = Path(__file__).resolve().parents[3]
    path = Path(os.environ.get("EASEL_SPECS", root.parent / "shared" / "specs")) / "openai.images.openapi.json"
    if not path.exists():
        pytest.skip("the API descriptions are not on this machine (EASEL_SPECS)")
    loaded: dict[str, Any] = json.loads(path.read_text())
    return loaded


def hold_against(schema_name: str, body: dict[str, Any]) -> None:
    document = specification()
    schema = document["components"]["schemas"][schema_name]
    unknown = set(body) - set(schema["properties"])
    assert unknown <= set(NEWER), f"neither the API description nor the SDK knows {unknown - set(NEWER)}"
    assert all(isinstance(body[name], NEWER[name]) for name in unknown)
    known = {
        name: value
        for name, value in body.items()
        if name not in unknown and value not in NEWER_VALUES.get(name, set()) and name != "image"
    }
    required = [name for name in schema.get("required", ()) if name != "image"]
    checked = {**schema, "required": required, "components": document["components"]}
    jsonschema_rs.validator_for(checked).validate(known)


@pytest.mark.parametrize("asked", REQUESTS, ids=str)
async def test_a_generation_is_what_the_description_asks_for(asked, server, connect) -> None:
    seen = await sent(server, connect, asked)
    assert seen.path == "/v1/images/generations"
    assert None not in seen.json.values()
    hold_against("CreateImageRequest", seen.json)


def typed(fields: dict[str, str]) -> dict[str, Any]:
    """Form fields as the types they stand for."""
    numbers = {"n", "output_compression", "partial_images", "frame_count", "frame_duration_ms"}
    return {
        name: int(value) if name in numbers else value == "true" if name == "stream" else value
        for name, value in fields.items()
    }


@pytest.mark.parametrize("asked", EDITS, ids=str)
async def test_an_edit_is_what_the_description_asks_for(asked, server, connect) -> None:
    seen = await sent(server, connect, asked)
    assert seen.path == "/v1/images/edits"
    hold_against("CreateImageEditRequest", typed(seen.fields))


@pytest.mark.parametrize("asked", VARIATIONS, ids=str)
async def test_a_variation_is_what_the_description_asks_for_and_warns_nobody(asked, server, connect) -> None:
    seen = await sent(server, connect, asked)
    assert seen.path == "/v1/images/variations"
    assert "prompt" not in seen.fields
    assert [(part.name, part.mime) for part in seen.parts if part.filename] == [("image", "image/png")]
    hold_against("CreateImageVariationRequest", typed(seen.fields))


async def test_what_was_not_asked_is_not_sent(server, connect) -> None:
    seen = await sent(server, connect, request())
    assert seen.json == {"prompt": "a red fox on the snow", "model": "m", "n": 1, "user": "tag-7"}


async def test_every_option_has_the_name_of_the_wire(server, connect) -> None:
    asked = request(
        size="1024x1024", quality="low", background="opaque", format="gif", moderation="low", frames=4, frame_ms=90
    )
    seen = await sent(server, connect, asked)
    assert seen.json == {
        "prompt": "a red fox on the snow",
        "model": "m",
        "n": 1,
        "user": "tag-7",
        "size": "1024x1024",
        "quality": "low",
        "background": "opaque",
        "output_format": "gif",
        "moderation": "low",
        "frame_count": 4,
        "frame_duration_ms": 90,
    }


async def test_four_calls_of_one_ask_for_one_each(server, connect) -> None:
    seen = await sent(server, connect, request(model="old", count=4, calls=4))
    assert (seen.json["n"], seen.json["response_format"]) == (1, "b64_json")


@pytest.mark.parametrize(
    "asked", [request(), request(count=2, partial_images=2), request(format="svg", partial_images=2)], ids=str
)
async def test_no_stream_is_asked_for_where_none_can_come(asked, server, connect) -> None:
    assert "stream" not in (await sent(server, connect, asked)).json


async def test_no_stream_is_asked_for_when_nobody_watches(server, connect) -> None:
    assert "stream" not in (await sent(server, connect, request(partial_images=2), on_partial=None)).json


async def test_one_picture_travels_as_image_and_several_as_a_list(server, connect) -> None:
    seen = await sent(server, connect, request(**EDIT))
    assert [part.name for part in seen.parts if part.filename] == ["image"]
    server.seen.clear()
    seen = await sent(server, connect, request(**EDIT), Inputs(images=(upload("a.png"), upload("b.png"))))
    assert [part.name for part in seen.parts if part.filename] == ["image[]", "image[]"]


async def test_files_have_their_type_and_a_name_of_ours(server, connect) -> None:
    inputs = Inputs(images=(upload("../../my face.png"),), mask=upload("m"), markup=upload("n"))
    seen = await sent(server, connect, request(**EDIT), inputs)
    files = {part.name: part for part in seen.parts if part.filename}
    assert {name: part.filename for name, part in files.items()} == {
        "image": "image-1.png",
        "mask": "mask.png",
        "markup": "markup.png",
    }
    assert {part.mime for part in files.values()} == {"image/png"}
    assert files["image"].data == picture()
    assert b"my face" not in seen.body


async def test_a_mask_and_the_moderation_of_an_edit_go_out_as_form_fields(server, connect) -> None:
    seen = await sent(server, connect, request(**EDIT, moderation="low", fidelity="high"))
    assert (seen.fields["moderation"], seen.fields["input_fidelity"]) == ("low", "high")


@pytest.mark.parametrize(
    ("model", "official", "field"),
    [
        ("gpt-image-2.5-flare", True, "safety_identifier"),
        ("gpt-image-2.5-flare", False, "user"),
        ("gpt-image-1", True, "user"),
        ("unknown", True, "user"),
    ],
)
def test_the_members_tag_goes_out_as_the_model_takes_it_and_as_user_to_other_services(
    model: str, official: bool, field: str
) -> None:
    arguments = call_arguments(
        request(), Inputs(), CATALOGUE.get(model), official=official, member_tag="tag-7", stream=False
    )
    assert {name: arguments.get(name) for name in ("user", "safety_identifier")} == {
        "user": None,
        "safety_identifier": None,
        field: "tag-7",
    }


SDK = {
    Endpoint.GENERATIONS: AsyncImages.generate,
    Endpoint.EDITS: AsyncImages.edit,
    Endpoint.VARIATIONS: AsyncImages.create_variation,
}


@pytest.mark.parametrize("option", [option for option in OPTIONS if option.wire_name], ids=lambda option: option.name)
def test_an_option_the_sdk_has_no_argument_for_is_said_to_be_beyond_it(option: Option) -> None:
    known = {endpoint for endpoint, method in SDK.items() if option.wire_name in signature(method).parameters}
    assert option.endpoints - known == option.beyond_sdk


# --- a server that does not know a parameter -----------------------------------------------------------------------


def extra(*names: str):
    rows = [
        {"loc": ["body", name], "msg": "Extra inputs are not permitted", "type": "extra_forbidden"} for name in names
    ]
    return json_reply({"detail": rows}, 422)


UNEXPECTED = "Additional properties are not allowed ('background' was unexpected)"
REFUSALS = {
    "OpenAI's words": (error(400, "unknown_parameter", "Unknown parameter: 'user'.", param="user"), {"user"}),
    "FastAPI": (
        json_reply(
            {"detail": [{"loc": ["body", "user"], "msg": "Extra inputs are not permitted", "type": "extra_forbidden"}]},
            422,
        ),
        {"user"},
    ),
    "LiteLLM": (
        error(
            400,
            "400",
            "litellm.UnsupportedParamsError: m does not support parameters: {'user': 't', 'moderation': 'low'}",
        ),
        {"user", "moderation"},
    ),
    "JSON schema": (
        json_reply({"error": "Additional properties are not allowed ('background' was unexpected)"}, 400),
        {"background"},
    ),
    "no streams": (error(400, "400", "parameter stream is not supported"), {"stream", "partial_images"}),
    "xAI": (json_reply({"code": "400", "error": "Argument not supported: quality"}, 400), {"quality"}),
    "Google": (
        json_reply(
            [
                {
                    "error": {
                        "code": 400,
                        "message": 'Invalid JSON payload received. Unknown name "user": Cannot find field.',
                    }
                }
            ],
            400,
        ),
        {"user"},
    ),
    "two at once": (extra("user", "quality"), {"user", "quality"}),
}
FULL = request(moderation="low", background="opaque", quality="low", partial_images=1)


@pytest.mark.parametrize("name", REFUSALS)
async def test_an_unknown_optional_parameter_is_left_out_once_and_remembered(name: str, server, connect) -> None:
    refusal, stripped = REFUSALS[name]
    server.does(refusal, pictures(picture()))
    service = connect()
    made = await service.make(FULL, Inputs(), payer=OperatorPays(), member_tag="t", deadline_s=20, on_partial=listen)
    assert len(made.images) == 1
    await service.make(FULL, Inputs(), payer=OperatorPays(), member_tag="t", deadline_s=20, on_partial=listen)
    first, second, third = (set(post.json) for post in server.posts)
    assert first - second == stripped
    assert third == second


VALUES_REFUSED = {
    "background": error(
        400, "invalid_value", "Transparent background is not supported for this model.", param="background"
    ),
    "background, without a code": error(
        400, None, "Transparent background is not supported for this model.", param="background"
    ),
    "background, OpenAI's words": error(
        400,
        "400",
        "Unsupported value: 'background' does not support 'transparent' with this model.",
        param="background",
    ),
    "background, as unknown": error(400, "unknown_parameter", "Unknown parameter: 'background'.", param="background"),
    "quality": error(400, None, "parameter quality=low is not supported", param="quality"),
    "format": error(400, None, "parameter output_format: webp is not allowed", param="output_format"),
}


@pytest.mark.parametrize("name", VALUES_REFUSED)
async def test_a_refused_value_is_told_and_nothing_is_left_out_for_it(name: str, server, connect) -> None:
    server.does(VALUES_REFUSED[name], pictures(picture()))
    service = connect()
    asked = request(background="transparent", quality="low", format="webp")
    with pytest.raises(ServiceFault) as caught:
        await service.make(asked, Inputs(), payer=OperatorPays(), member_tag="t", deadline_s=20)
    assert (caught.value.fault.kind, caught.value.fault.billed) == (FaultKind.BAD_REQUEST, Billed.NO)
    assert len(server.posts) == 1
    await service.make(asked, Inputs(), payer=OperatorPays(), member_tag="t", deadline_s=20)
    assert server.posts[1].json.keys() == server.posts[0].json.keys(), (
        "what was refused once is not forgotten to be asked"
    )


async def test_what_a_service_draws_without_is_said_by_the_names_people_know(server, connect) -> None:
    server.does(extra("user", "output_format", "size"), pictures(picture()))
    service = connect()
    asked = request(size="1024x1024", format="webp")
    made = await service.make(asked, Inputs(), payer=OperatorPays(), member_tag="t", deadline_s=20)
    assert made.left_out == ("size", "format")
    assert (await service.make(asked, Inputs(), payer=OperatorPays(), member_tag="t", deadline_s=20)).left_out == (
        "size",
        "format",
    )
    assert (await service.make(request(), Inputs(), payer=OperatorPays(), member_tag="t", deadline_s=20)).left_out == ()


async def test_what_bounds_the_price_is_not_left_out(server, connect) -> None:
    server.does(error(400, "unknown_parameter", "Unknown parameter: 'quality'.", param="quality"), pictures(picture()))
    asked = request(model="gpt-image-2.5-flare", quality="low", size="1024x1024")
    with pytest.raises(ServiceFault) as caught:
        await connect(models=CATALOGUE).make(asked, Inputs(), payer=OperatorPays(), member_tag="t", deadline_s=20)
    assert (caught.value.fault.param, len(server.posts)) == ("quality", 1)


def unknown(name: str) -> Behaviour:
    return error(400, "unknown_parameter", f"Unknown parameter: '{name}'.", param=name)


async def test_what_a_server_refuses_one_after_the_other_is_left_out_one_after_the_other(server, connect) -> None:
    server.does(unknown("user"), unknown("quality"), pictures(picture()))
    made = await connect().make(FULL, Inputs(), payer=OperatorPays(), member_tag="t", deadline_s=20)
    assert (made.left_out, len(server.posts)) == (("quality",), 3)


async def test_a_server_that_goes_on_refusing_what_is_not_sent_is_not_asked_for_ever(server, connect) -> None:
    server.does(unknown("user"), unknown("quality"))
    with pytest.raises(ServiceFault) as caught:
        await connect().make(FULL, Inputs(), payer=OperatorPays(), member_tag="t", deadline_s=20)
    assert (caught.value.fault.kind, caught.value.fault.billed) == (FaultKind.BAD_REQUEST, Billed.NO)
    assert len(server.posts) == 3


@pytest.mark.parametrize(
    "refusal",
    [
        error(400, "unknown_parameter", "Unknown parameter: 'n'.", param="n"),
        error(400, "unknown_parameter", "Unknown parameter: 'seed'.", param="seed"),
        error(400, "invalid_value", "Invalid value: 'low' for 'quality'. Unsupported.", param="quality"),
        error(400, None, "quality must be one of 'high', 'user' is not supported"),
        error(400, "moderation_blocked", "Unknown parameter: 'user'"),
        error(500, "unknown_parameter", "Unknown parameter: 'user'.", param="user"),
    ],
    ids=["needed", "not sent", "value", "value in words", "moderation", "500"],
)
async def test_nothing_is_left_out_that_changes_the_picture_or_was_not_unknown(refusal, server, connect) -> None:
    server.does(refusal)
    with pytest.raises(ServiceFault):
        await connect().make(
            request(size="1024x1024", quality="low"), Inputs(), payer=OperatorPays(), member_tag="t", deadline_s=20
        )
    assert len(server.posts) == 1


async def test_a_moderation_field_of_an_edit_can_be_left_out_too(server, connect) -> None:
    server.does(
        error(400, "unknown_parameter", "Unknown parameter: 'moderation'.", param="moderation"), pictures(picture())
    )
    await connect().make(
        request(**EDIT, moderation="low"), ONE_INPUT, payer=OperatorPays(), member_tag="t", deadline_s=20
    )
    first, second = (set(post.fields) for post in server.posts)
    assert first - second == {"moderation"}


@pytest.mark.parametrize("asked", [request(**EDIT), request(prompt="half a pair \ud83e")], ids=["picture", "text"])
async def test_what_cannot_be_written_is_not_sent_and_cost_nothing(asked, server, connect) -> None:
    server.does(pictures(picture()))
    with pytest.raises(ServiceFault) as caught:
        await connect().make(asked, Inputs(), payer=OperatorPays(), member_tag="t", deadline_s=20)
    assert (caught.value.fault.kind, caught.value.fault.billed) == (FaultKind.BAD_REQUEST, Billed.NO)
    assert server.posts == []


async def test_a_fault_of_ours_after_the_post_stays_on_the_bill_as_unknown(server, connect, caplog) -> None:
    async def resolve(host: str, port: int) -> list[str]:
        raise ZeroDivisionError

    server.does(json_reply({"data": [{"url": "http://elsewhere.test/x.png"}]}))
    with pytest.raises(ServiceFault) as caught:
        await connect(resolve=resolve).make(request(), Inputs(), payer=OperatorPays(), member_tag="t", deadline_s=20)
    assert (caught.value.fault.kind, caught.value.fault.billed) == (FaultKind.BROKEN_OFF, Billed.MAYBE)
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize(("image_format", "may_go"), [("gif", False), ("svg", False), ("webp", True)])
def test_what_makes_it_another_thing_is_never_left_out(image_format: str, may_go: bool) -> None:
    asked = request(format=image_format)
    assert ("output_format" in dispensable(asked, CATALOGUE.get(asked.model))) is may_go


@pytest.mark.parametrize(
    ("key_in", "said"),
    [
        (KeyPlace.BEARER, {}),
        (KeyPlace.API_KEY, {"Authorization": omit, "api-key": "a-key"}),
        (KeyPlace.NONE, {"Authorization": omit}),
    ],
)
async def test_a_key_goes_where_the_service_wants_it_and_nowhere_else(key_in: KeyPlace, said: dict[str, Any]) -> None:
    async with httpx2.AsyncClient() as http:
        clients = Clients(Service("x", "http://x.example/v1", key_in=key_in), Account("operators"), http)
        assert clients.headers("a-key", own_key=False) == said
        theirs = {"OpenAI-Organization": omit, "OpenAI-Project": omit}
        assert clients.headers("a-key", own_key=True) == {**theirs, **said}
        assert (clients.of("a-key").api_key, clients.of("operators").api_key) == ("a-key", "operators")
