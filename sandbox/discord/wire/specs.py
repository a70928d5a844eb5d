"""Holds requests, answers and gateway events against the official descriptions, where these are at hand.

The only place that imports a schema library, and only when there is something to check with.
"""

from __future__ import annotations

import functools
import importlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sandbox.discord.model import Json

OPENAPI = "discord.openapi.json"
GATEWAY = "discord.gateway.schema.json"
SNOWFLAKE = "#/components/schemas/SnowflakeType"
EVENTS = {"READY": "Ready", "GUILD_CREATE": "GuildCreate", "INTERACTION_CREATE": "Itx"}
DOCUMENTED_ELSEWHERE = {"file_types", "is_spoiler", "nsfw", "flags", "tts", "enforce_nonce"}
"""Keys the description lacks: those of August 2026 and later, ``nsfw`` of commands, and what libraries always send:
discord.py ``flags`` of embeds and ``tts`` of edits, discord.js ``enforce_nonce`` (Discord takes no notice)."""


WALKED = 64
"""Bodies remembered: a bot registers the same commands at every start, and they are the longest body of all."""


@dataclass(frozen=True, slots=True)
class Breach:
    """Something that Discord would refuse or never send. ``side``: ``request`` and ``rule`` are the bot's."""

    side: str
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.side} {self.where}: {self.what}"


class Specs:
    """The official descriptions of a folder, or none: then everything passes. Breaches are appended to ``breaches``."""

    def __init__(self, folder: Path | None, breaches: list[Breach]) -> None:
        self._breaches = breaches
        self._rest = _description(folder / OPENAPI) if folder and (folder / OPENAPI).exists() else None
        self._gateway = _description(folder / GATEWAY) if folder and (folder / GATEWAY).exists() else None

    @property
    def present(self) -> bool:
        return self._rest is not None

    def request(self, template: str, method: str, body: Any) -> list[str]:
        """What the description objects to in a JSON body (recorded, too); unknown keys are only recorded."""
        if self._rest is None:
            return []
        where = f"{method} {template}"
        pointer = self._rest.request_pointer(template, method)
        if pointer is None:
            return self.record("request", where, [] if body in (None, {}) else ["a body where none is described"])
        found = self._rest.problems(pointer, body)
        # Discord takes no notice of keys it does not know; for us a misspelt key is a fault all the same
        self.record("request", where, list(self._rest.unknown_keys(pointer, body)))
        return self.record("request", where, found)

    def answer(self, template: str, method: str, status: int, body: Any) -> list[str]:
        """What the description objects to in an answer; such a breach is the sandbox's own."""
        if self._rest is None:
            return []
        found = self._rest.answer_problems(template, method, status, body)
        return self.record("answer", f"{method} {template} {status}", found)

    def event(self, name: str, data: Json) -> list[str]:
        """What the gateway schema objects to in an event of ours."""
        if self._gateway is None or name not in EVENTS:
            return []
        found = self._gateway.problems(f"#/definitions/{EVENTS[name]}", data)
        return self.record("event", name, found)

    def record(self, side: str, where: str, found: list[str]) -> list[str]:
        """Notes problems as breaches and passes them on."""
        self._breaches += [Breach(side, where, what) for what in found]
        return found


@functools.cache
def _description(path: Path) -> Description:
    return Description(json.loads(path.read_text("utf-8")))


class Description:
    """One document with compiled validators, shared by all servers of the process."""

    def __init__(self, document: Json) -> None:
        self._document = document
        schemas = document.get("components", {}).get("schemas", {})
        for name in [n for n in schemas if "Request" in n]:
            schemas[name] = _with_loose_ids(schemas[name])
        if "InnerErrors" in schemas:  # the codes inside of 50035 are words, as Discord's own reference shows
            schemas["InnerErrors"]["properties"]["_errors"]["items"] = {
                "required": ["code", "message"],
                "type": "object",
            }
        if "MessageReferenceType" in schemas:  # forwards are documented, and left out here
            schemas["MessageReferenceType"] = {"enum": [0, 1], "type": "integer"}
        if "ChannelTypes" in schemas:  # media channels are documented, and left out here
            schemas["ChannelTypes"]["oneOf"].append({"title": "GUILD_MEDIA", "const": 16})
            schemas["GuildChannelResponse"]["properties"]["type"]["enum"].append(16)
        schemas["LooseSnowflake"] = {"anyOf": [{"$ref": SNOWFLAKE}, {"type": "integer", "minimum": 0}]}
        for name, definition in document.get("definitions", {}).items():
            if name.endswith("Flags") and "const" in definition:  # a set of flags with one member became that number
                del definition["const"]
            if name in ("APIMessageSnapshot", "APIMessageSnapshotFields"):  # every field of it became an object
                definition.clear()
        self._old = "definitions" in document
        rs = importlib.import_module("jsonschema_rs")
        draft = rs.Draft7 if self._old else rs.Draft202012
        self._registry = rs.Registry([("urn:spec", document)], draft=draft)
        self._make = rs.Draft7Validator if self._old else rs.Draft202012Validator
        self._compiled: dict[str, Any] = {}
        self._resolved: dict[str, Json] = {}
        self._walked: dict[tuple[str, str], tuple[str, ...]] = {}

    def _validator(self, pointer: str) -> Any:
        if pointer not in self._compiled:
            self._compiled[pointer] = self._make({"$ref": "urn:spec" + quote(pointer, "#/~@")}, registry=self._registry)
        return self._compiled[pointer]

    def problems(self, pointer: str, body: Any) -> list[str]:
        """Empty if the body fits; else what is wrong, at most five lines."""
        if self._validator(pointer).is_valid(body):
            return []
        return self._explain(pointer, body)[:5] or ["does not fit its schema"]

    def _explain(self, pointer: str, body: Any) -> list[str]:
        """The reasons by the slower library, which finds the deepest fault inside unions."""
        jsonschema = importlib.import_module("jsonschema")
        referencing = importlib.import_module("referencing")
        kinds = importlib.import_module("referencing.jsonschema")
        kind = kinds.DRAFT7 if self._old else kinds.DRAFT202012
        registry = referencing.Registry().with_resource("urn:spec", referencing.Resource(self._document, kind))
        make = jsonschema.Draft7Validator if self._old else jsonschema.Draft202012Validator
        errors = list(make({"$ref": "urn:spec" + quote(pointer, "#/~@")}, registry=registry).iter_errors(body))
        lines = []
        for error in errors:
            best = jsonschema.exceptions.best_match([error])
            lines.append(f"{'.'.join(map(str, best.absolute_path)) or 'body'}: {best.message[:300]}")
        return lines

    def request_pointer(self, template: str, method: str) -> str | None:
        """Where the JSON body of an operation is described."""
        operation = self._operation(template, method)
        if operation is None or "requestBody" not in operation:
            return None
        return f"#/paths/{_escape(template)}/{method.lower()}/requestBody/content/application~1json/schema"

    def _operation(self, template: str, method: str) -> Json | None:
        found = self._document["paths"].get(template, {}).get(method.lower())
        return found if isinstance(found, dict) else None

    def answer_problems(self, template: str, method: str, status: int, body: Any) -> list[str]:
        """What is wrong with an answer of this status."""
        operation = self._operation(template, method)
        if operation is None:
            return [f"{method} {template} is not described"]
        answers = operation["responses"]
        key = str(status) if str(status) in answers else f"{status // 100}XX"
        if status >= 500:
            return []
        if key not in answers:
            return [f"status {status} is not described"]
        answer = answers[key]
        if "$ref" in answer:
            pointer = answer["$ref"]
        else:
            pointer = f"#/paths/{_escape(template)}/{method.lower()}/responses/{key}"
        content = self._resolve(pointer).get("content")
        if content is None:
            return [] if body is None else ["a body where none belongs"]
        return self.problems(f"{pointer}/content/application~1json/schema", body)

    def _resolve(self, pointer: str) -> Json:
        if pointer in self._resolved:
            return self._resolved[pointer]
        here: Any = self._document
        for step in pointer.removeprefix("#/").split("/"):
            here = here[step.replace("~1", "/").replace("~0", "~")]
        return self._resolved.setdefault(pointer, here if isinstance(here, dict) else {})

    # --- keys nobody described: misspelt ones pass every schema ---

    def unknown_keys(self, pointer: str, body: Any) -> tuple[str, ...]:
        """Keys that no branch of the schema knows."""
        seen = (pointer, json.dumps(body))
        if seen not in self._walked:
            if len(self._walked) >= WALKED:
                self._walked.clear()
            self._walked[seen] = tuple(self._walk([self._resolve(pointer)], body, ""))
        return self._walked[seen]

    def _walk(self, schemas: list[Json], value: Any, where: str) -> Iterator[str]:
        leaves = [leaf for schema in schemas for leaf in self._leaves(schema, value)]
        if isinstance(value, list):
            items = [leaf["items"] for leaf in leaves if isinstance(leaf.get("items"), dict)]
            for number, inner in enumerate(value if items else ()):
                yield from self._walk(items, inner, f"{where}.{number}")
        elif isinstance(value, dict):
            objects = [leaf for leaf in leaves if "properties" in leaf]
            if not objects or any(leaf.get("additionalProperties") for leaf in leaves):
                return
            for key, inner in value.items():
                below = [leaf["properties"][key] for leaf in objects if key in leaf["properties"]]
                if below:
                    yield from self._walk(below, inner, f"{where}.{key}")
                elif key not in DOCUMENTED_ELSEWHERE:
                    yield f"unknown key {f'{where}.{key}'.lstrip('.')}"

    def _leaves(self, schema: Json, value: Any) -> Iterator[Json]:
        """The parts of unions that could be meant: those whose ``type`` number, if any, is the value's."""
        if "$ref" in schema:
            yield from self._leaves(self._resolve(schema["$ref"]), value)
            return
        if isinstance(value, dict) and not self._could_be(schema, value):
            return
        yield schema
        for union in ("allOf", "anyOf", "oneOf"):
            for branch in schema.get(union, ()):
                yield from self._leaves(branch, value)

    @staticmethod
    def _could_be(schema: Json, value: Json) -> bool:
        legal = schema.get("properties", {}).get("type", {}).get("enum")
        return legal is None or value.get("type") is None or value["type"] in legal


def _escape(template: str) -> str:
    return template.replace("~", "~0").replace("/", "~1")


def _with_loose_ids(schema: Any) -> Any:
    """A request's schema in which ids may be integers: everybody sends them so, and Discord takes them."""
    if isinstance(schema, dict):
        if schema.get("$ref") == SNOWFLAKE:
            return {**schema, "$ref": "#/components/schemas/LooseSnowflake"}
        return {key: _with_loose_ids(inner) for key, inner in schema.items()}
    return [_with_loose_ids(inner) for inner in schema] if isinstance(schema, list) else schema
