"""The Batch API at work: batches go on by the service's clock whenever somebody looks, and are drawn in their time."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sandbox.images.batches.batch import OVER, WINDOW_S, Asked, Batch, Line, read_lines
from sandbox.images.batches.files import Files
from sandbox.images.errors import ApiError

Draw = Callable[[str, Mapping[str, Any]], Awaitable[tuple[int, dict[str, Any]]]]
"""Answers one request as the endpoint would: status and body."""

HALF_PRICE = frozenset(("gpt-image-2", "gpt-image-2.5-sunburst", "gpt-image-2.5-flare"))
"""What may be asked for in a batch; 2.6 may not."""

Rows = list[bytes]


@dataclass(slots=True)
class Plan:
    """How the next batches end. ``done``: so many lines are drawn, the rest is not; None: all. ``code``: why it failed.

    ``output`` and ``error`` spoil what the files hold, line by line.
    """

    ending: Literal["completed", "expired", "failed"] = "completed"
    done: int | None = None
    code: str = "server_error"
    output: Callable[[Rows], Rows] | None = None
    error: Callable[[Rows], Rows] | None = None


class Night:
    """All batches, oldest first. ``takes_s``: how long one takes by ``clock``; ``plan``: how the next ones end."""

    def __init__(self, files: Files, draw: Draw, clock: Callable[[], float], takes_s: float) -> None:
        self.takes_s = takes_s
        self.plan = Plan()
        self.batches: list[Batch] = []
        self._plans: dict[str, Plan] = {}
        self._files = files
        self._draw = draw
        self.clock = clock
        self._drawing: set[asyncio.Task[None]] = set()

    def create(self, asked: Asked, tail: str = "") -> Batch:
        """``tail`` is put to its id."""
        file = self._files.get(asked.input_file_id)
        if file.purpose != "batch":
            raise ApiError(400, "The file must have been uploaded with the purpose 'batch'.", param="input_file_id")
        batch = Batch(f"batch_{secrets.token_hex(16)}{tail}", asked, self.clock())
        batch.lines, batch.faults = read_lines(file.data, asked.endpoint)
        batch.model = batch.lines[0].body["model"] if batch.lines else None
        if batch.model is not None and batch.model not in HALF_PRICE:
            told = {"code": "model_not_found", "message": f"The model {batch.model} is not supported by the Batch API."}
            batch.faults.append({**told, "param": "body.model", "line": 1})
        self.batches.append(batch)
        self._plans[batch.id] = self.plan
        return batch

    def get(self, batch_id: str) -> Batch:
        batch = next((one for one in self.batches if one.id == batch_id), None)
        if batch is None:
            raise ApiError(404, f"No batch found with id '{batch_id}'.", param="batch_id")
        self._go_on(batch)
        return batch

    def all(self) -> list[Batch]:
        for batch in self.batches:
            self._go_on(batch)
        return self.batches

    def cancel(self, batch_id: str) -> Batch:
        batch = self.get(batch_id)
        if batch.status in ("validating", "in_progress"):
            batch.reach("cancelling", self.clock())
        elif batch.status in OVER:
            raise ApiError(409, f"Cannot cancel a batch with status '{batch.status}'.")
        return batch

    async def stop(self) -> None:
        for task in self._drawing:
            task.cancel()
        await asyncio.gather(*self._drawing, return_exceptions=True)

    # --- by the clock --------------------------------------------------------------------------------------------

    def _go_on(self, batch: Batch) -> None:
        """Where the batch stands by now. What is to be drawn is drawn beside, until then it is *finalizing*."""
        if batch.status in OVER or batch.is_ending:
            return
        now, plan = self.clock(), self._plans[batch.id]
        if batch.faults or plan.ending == "failed":
            batch.faults = batch.faults or [{"code": plan.code, "message": "It went wrong.", "line": None}]
            batch.reach("failed", now)
            return
        share = 1.0 if self.takes_s <= 0 else min((now - batch.created_at) / self.takes_s, 1.0)
        if batch.status == "cancelling":
            self._end(batch, "cancelled", int(share * len(batch.lines)))
            return
        if batch.status == "validating":
            batch.reach("in_progress", now)
        if plan.ending == "expired":
            if now - batch.created_at >= WINDOW_S:
                self._end(batch, "expired", plan.done or 0)
            return
        batch.completed = int(share * len(batch.lines))
        if share >= 1.0:
            batch.reach("finalizing", now)
            self._end(batch, "completed", len(batch.lines) if plan.done is None else plan.done)

    def _end(self, batch: Batch, status: str, done: int) -> None:
        batch.is_ending = True
        task = asyncio.get_running_loop().create_task(self._finish(batch, status, done))
        self._drawing.add(task)
        task.add_done_callback(self._drawing.discard)

    async def _finish(self, batch: Batch, status: str, done: int) -> None:
        plan = self._plans[batch.id]
        good: Rows = []
        bad: Rows = []
        for line in batch.lines[:done]:
            code, body = await self._draw(batch.asked.endpoint, line.body)
            response = {"status_code": code, "request_id": secrets.token_hex(16), "body": body}
            (good if code == 200 else bad).append(await asyncio.to_thread(_row, line, response, None))
        batch.completed, batch.failed = len(good), len(batch.lines) - len(good)
        if status != "completed":
            why = {"expired": "batch_expired", "cancelled": "batch_cancelled"}[status]
            message = "This request was not executed before the batch ended."
            bad += [_row(line, None, {"code": why, "message": message}) for line in batch.lines[done:]]
        elif done < len(batch.lines):
            batch.failed -= len(batch.lines) - done  # lines that are simply not there
        batch.output_file_id = self._written(batch, "output", plan.output(good) if plan.output else good)
        batch.error_file_id = self._written(batch, "error", plan.error(bad) if plan.error else bad)
        batch.reach(status, self.clock())

    def _written(self, batch: Batch, kind: str, rows: Rows) -> str | None:
        if not rows:
            return None
        name = f"{batch.id}_{kind}.jsonl"
        return self._files.keep(name, "batch_output", b"".join(rows), batch.asked.output_life_s).id


def _row(line: Line, response: dict[str, Any] | None, error: dict[str, Any] | None) -> bytes:
    row = {"id": f"batch_req_{secrets.token_hex(12)}", "custom_id": line.custom_id}
    return json.dumps({**row, "response": response, "error": error}).encode() + b"\n"
