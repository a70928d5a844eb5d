"""Marks are read in a process of their own; whatever a file holds, there is an answer and nothing is fetched."""

from __future__ import annotations

import os
import socket
import struct
import zlib

import pytest

from bot.adapters.marks import C2paMarks, read_marks
from bot.imaging.headers import carries_marks
from bot.rules.origins import Marks, MarkState
from sandbox.images.drawing.marks import SIGNER, marked, signed
from tests.support.pictures import encoded, opened, png

PICTURES = {form: encoded(opened(png(64)), form.upper()) for form in ("png", "jpeg", "webp")}


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def with_chunk(kind: bytes, data: bytes) -> bytes:
    """A PNG with one more chunk after its head."""
    return PICTURES["png"][:33] + chunk(kind, data) + PICTURES["png"][33:]


@pytest.mark.parametrize("form", PICTURES)
async def test_the_marks_of_a_signed_picture_are_read(form: str) -> None:
    signed = marked(PICTURES[form], form, "gpt-image **2.5** @everyone")
    assert await C2paMarks().read(signed, lane="g1") == Marks(
        MarkState.FITS, by_ai=True, signer=SIGNER, tool="gpt-image **2.5** @everyone"
    )
    assert carries_marks(signed)
    assert not carries_marks(PICTURES[form])


async def test_a_changed_picture_no_longer_fits_its_marks() -> None:
    signed = marked(PICTURES["png"], "png", "x")
    at = signed.rindex(b"IDAT") + 10
    changed = signed[:at] + bytes([signed[at] ^ 1]) + signed[at + 1 :]
    assert (await C2paMarks().read(changed, lane="g1")).state is MarkState.BROKEN


async def test_names_of_ten_thousand_characters_are_cut() -> None:
    found = await C2paMarks().read(marked(PICTURES["png"], "png", "x" * 10_000), lane="g1")
    assert (found.state, found.tool) == (MarkState.FITS, "x" * 200)


IPTC = "http://cv.iptc.org/newscodes/digitalsourcetype"
SIGNED = marked(PICTURES["png"], "png", "x")
ODD = {
    "no marks": (PICTURES["png"], MarkState.NONE),
    "cut off": (SIGNED[: len(SIGNED) // 2], MarkState.DAMAGED),
    "noise for marks": (with_chunk(b"caBX", os.urandom(3000)), MarkState.BROKEN),
    "a box without end": (with_chunk(b"caBX", b"\xff\xff\xff\xffjumb" + bytes(100)), MarkState.BROKEN),
    "boxes in boxes": (
        with_chunk(b"caBX", b"".join(struct.pack(">I", 8 * (9000 - i)) + b"jumb" for i in range(9000))),
        MarkState.BROKEN,
    ),
    "a length that lies": (PICTURES["png"][:33] + b"\x7f\xff\xff\xffcaBXabc", MarkState.DAMAGED),
    "25 MB before the picture": (
        SIGNED[:33] + chunk(b"teSt", os.urandom(25_000_000)) + SIGNED[33:],
        MarkState.BROKEN,
    ),
    "a page": (b"<html>hi</html>", MarkState.FORMAT),
    "a GIF": (b"GIF89a" + bytes(40), MarkState.FORMAT),
    "nothing": (b"", MarkState.FORMAT),
}


@pytest.mark.parametrize("what", ODD)
async def test_odd_files_have_an_answer(what: str) -> None:
    data, state = ODD[what]
    assert await C2paMarks().read(data, lane="g1") == Marks(state)


def test_marks_at_another_address_are_not_fetched() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        address = f"http://127.0.0.1:{server.getsockname()[1]}/x.c2pa"
        xmp = (
            '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
            '<rdf:Description rdf:about="" xmlns:dcterms="http://purl.org/dc/terms/" '
            f'dcterms:provenance="{address}"/></rdf:RDF></x:xmpmeta>'
        )
        picture = with_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp.encode())
        assert read_marks(picture, "png").state is MarkState.ELSEWHERE
        with pytest.raises(TimeoutError):
            server.accept()


async def test_without_the_library_the_bot_says_so() -> None:
    reader = C2paMarks()
    reader.is_there = False
    assert (await reader.read(SIGNED, lane="g1")).state is MarkState.ABSENT


async def test_who_a_person_in_marks_is_is_neither_looked_up_nor_judged() -> None:
    """The library would ask the host that such a mark names, and call marks broken whose host does not answer."""
    person = {
        "label": "cawg.identity",
        "data": {
            "signer_payload": {"sig_type": "cawg.identity_claims_aggregation", "referenced_assertions": []},
            "signature": [0xD2, 0x84],
            "pad1": [],
        },
    }
    action = {"action": "c2pa.created", "digitalSourceType": f"{IPTC}/digitalCreation"}
    made = {"label": "c2pa.actions", "data": {"actions": [action]}}
    found = await C2paMarks().read(signed(PICTURES["png"], "png", made, person), lane="g1")
    assert (found.state, found.signer) == (MarkState.FITS, SIGNER)


async def test_a_whole_picture_with_marks_of_another_kind_is_not_called_damaged() -> None:
    before, claim, rest = marked(PICTURES["jpeg"], "jpeg", "x").rpartition(b"c2pa.claim")
    draft = before + claim + rest.replace(b"cbor", b"json", 1)  # as before version 1.0
    assert await C2paMarks().read(draft, lane="g1") == Marks(MarkState.UNKNOWN)
    assert await C2paMarks().read(draft[:-200], lane="g1") == Marks(MarkState.DAMAGED)
