"""Logging for the whole process: structlog over the standard library, one line a record, redacted.

Law: no token, key, password or interaction token leaves through a log, whoever wrote the record and at whatever level,
and no text from outside can forge a line (control characters are escaped). The redactor (``rules/redaction.py``) sees
every value before it is rendered and the whole line afterwards. What could hold a secret of any look (whole requests
and events, as libraries log them to be debugged) is not logged at all.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, MutableMapping
from types import TracebackType
from typing import Any, TextIO

import structlog

from bot.rules.redaction import LogRedactor

# Their lines below a warning hold whole requests: prompts, statements with parameters. None of it helps an operator.
EVENTS = ("discord",)
"""Its lines below INFO hold whole gateway events: what was typed into a form for keys, and everybody's prompts."""

QUIET = ("aiosqlite", "asyncio", "httpcore2", "httpx2", "openai", "PIL", "sqlalchemy", "asyncpg")

_ESCAPES = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0)) if code not in (0x09, 0x0A)}
_ESCAPES.update({code: f"\\u{code:04x}" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x2028, 0x2029)})
_ONE_LINE = {**_ESCAPES, 0x0A: "\\n", 0x09: "\\t"}

_LEVELS = {"DEBUG": logging.DEBUG, "INFO": logging.INFO, "WARNING": logging.WARNING, "ERROR": logging.ERROR}


def one_line(text: str) -> str:
    """The text without anything that could move a terminal's cursor, turn its text around, or begin a new line."""
    return text.translate(_ONE_LINE)


class _Cleaning:
    """The last step before rendering: every value redacted, every text on one line (tracebacks keep their lines)."""

    def __init__(self, redactor: LogRedactor) -> None:
        self._redactor = redactor

    def __call__(self, _logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        return {key: self._one(key, value) for key, value in event.items()}

    def _one(self, key: str, value: Any) -> Any:
        if key.startswith("_") or key == "exc_info":
            return value
        cleaned = self._redactor.clean_pair(key, value)
        if key == "exception":
            return str(cleaned).translate(_ESCAPES)
        return one_line(cleaned) if isinstance(cleaned, str) else cleaned


class _Formatter(structlog.stdlib.ProcessorFormatter):
    """Renders a record and looks over the finished line once more."""

    def __init__(self, redactor: LogRedactor, renderer: Any) -> None:
        shared = _before_rendering()
        super().__init__(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                _Cleaning(redactor),
                renderer,
            ],
        )
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        record.exc_text = None  # another handler's rendering, which nobody has cleaned
        return self._redactor.clean(super().format(record))


def _before_rendering() -> list[Any]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


def configure_logging(
    level: str = "INFO", style: str = "console", secrets: Iterable[str] = (), stream: TextIO | None = None
) -> LogRedactor:
    """Sends every record of the process, redacted, to ``stream`` (standard error). Safe to call again.

    ``style`` is ``console`` or ``json``. Returns the redactor, for other text that leaves the process.
    """
    stream = stream or sys.stderr
    redactor = LogRedactor(secrets)
    renderer: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False, sort_keys=False)
        if style == "json"
        else structlog.dev.ConsoleRenderer(
            colors=stream.isatty(), exception_formatter=structlog.dev.plain_traceback, pad_event_to=0
        )
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_Formatter(redactor, renderer))
    root = logging.getLogger()
    for old in [h for h in root.handlers if isinstance(h.formatter, _Formatter)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(_LEVELS.get(level, logging.INFO) if level != "CRITICAL" else logging.CRITICAL)
    for name in QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    for name in EVENTS:
        logging.getLogger(name).setLevel(max(logging.INFO, root.level))
    logging.captureWarnings(True)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_before_rendering(),
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    sys.excepthook = _log_crash
    return redactor


def _log_crash(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    logging.getLogger("easel").critical("crashed", exc_info=(kind, error, trace))
