"""Holds requests and answers against OpenAI's published API description, where it and a validator are at hand."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_REQUESTS = {
    "generations": "CreateImageRequest",
    "edits": "CreateImageEditRequest",
    "variations": "CreateImageVariationRequest",
}
_EVENTS = {
    "image_generation.partial_image": "ImageGenPartialImageEvent",
    "image_generation.completed": "ImageGenCompletedEvent",
    "image_edit.partial_image": "ImageEditPartialImageEvent",
    "image_edit.completed": "ImageEditCompletedEvent",
}
# The description is older than the SDK's types: these values exist and are missing in it.
_NEWER: Mapping[str, tuple[str, ...]] = {
    "quality": ("xhigh", "max", "standard", "hd"),
    "output_format": ("gif", "svg"),
    "background": ("auto",),
}
_INTEGERS = frozenset(("n", "output_compression", "partial_images", "frame_count", "frame_duration_ms"))


@functools.cache
def described(path: Path) -> Specs:
    """The description at ``path``, read and made into validators once a process."""
    return Specs(path)


class Specs:
    """Validators made from the description; ``path`` is the JSON document. Needs jsonschema-rs (a test dependency)."""

    def __init__(self, path: Path) -> None:
        import jsonschema_rs

        document = json.loads(path.read_text())
        for schema in document["components"]["schemas"].values():
            _widen(schema)
        self._document = document
        self._make = jsonschema_rs.Draft202012Validator
        self._validators: dict[str, Any] = {}

    def _faults(self, schema: str, value: object) -> tuple[str, ...]:
        if schema not in self._validators:
            root = {"$ref": f"#/components/schemas/{schema}", "components": self._document["components"]}
            self._validators[schema] = self._make(root)
        found = self._validators[schema].iter_errors(value)
        return tuple(f"{schema}/{'/'.join(map(str, one.instance_path))}: {one.message[:200]}" for one in found)

    def request(
        self, endpoint: str, fields: Mapping[str, Any], files: Mapping[str, int], *, form: bool
    ) -> tuple[str, ...]:
        """What is wrong with a request; ``files`` counts the uploads per field."""
        body: dict[str, Any] = {name: _typed(name, value) if form else value for name, value in fields.items()}
        for name, count in files.items():
            body[name] = "file" if count == 1 else ["file"] * count
        return self._faults(_REQUESTS[endpoint], body)

    def answer(self, status: int, body: object) -> tuple[str, ...]:
        return self._faults("ImagesResponse" if status == 200 else "ErrorResponse", body)

    def event(self, body: Mapping[str, Any]) -> tuple[str, ...]:
        return self._faults(_EVENTS[body["type"]], body)

    def models(self, body: object) -> tuple[str, ...]:
        return self._faults("ListModelsResponse", body)


def _typed(name: str, value: object) -> object:
    if name in _INTEGERS and isinstance(value, str) and value.isdigit():
        return int(value)
    return {"true": True, "false": False}.get(value, value) if name == "stream" and isinstance(value, str) else value


def _widen(schema: dict[str, Any]) -> None:
    properties = schema.get("properties", {})
    for name, values in _NEWER.items():
        for holder in (properties.get(name, {}), *properties.get(name, {}).get("anyOf", ())):
            if "enum" in holder:
                holder["enum"] = [*dict.fromkeys([*holder["enum"], *values])]
    if "enum" in properties.get("size", {}):
        del properties["size"]["enum"]
