"""Logging for the whole process: structlog over the standard library, one line a record, and one redactor.

Law: no token, key, password or interaction token leaves through a log, whoever wrote the record and at whatever level,
and no text from outside can forge a line (control characters are escaped). The redactor sees every value before it is
rendered and the whole line afterwards.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterable, Mapping, MutableMapping
from types import TracebackType
from typing import Any, TextIO

import structlog

REDACTED = "[redacted]"

# What cannot be told by its own shape is told by what stands before it; group 1 stays.
_AFTER = (
    # addresses: interaction callbacks and webhooks carry their token in the path
    r"(/interactions/\d{5,25}/)[^/\s?#'\"\\]+",
    r"(/webhooks/\d{5,25}/)[^/\s?#'\"\\]+",
    # headers
    r"(authorization\\?['\"]?\s*[:=,]\s*\(?\\?b?\\?['\"]?(?:(?:bot|bearer|basic)\s+)?)[^\s'\",\\)}]+",
    r"(\b(?:bot|bearer)\s+)(?=[\w.~+/=-]*[\d_])[\w.~+/=-]{16,}",
    # JSON, dicts and form fields: gateway events and identify hold "token"
    r"((?:[\w-]*token|api[_-]?key|password|secret(?:_key)?)\\?['\"]\s*:\s*\\?['\"])[^'\"\\]+",
    r"(\b(?:[\w-]*token|api[_-]?key|password|secret_key)=)[^\s&'\",;)]+",
    # passwords in addresses
    r"(\b[a-z][\w+.-]*://[^\s:/@'\"]*:)[^\s/'\"]+(?=@)",
)
_SHAPES = (
    r"(?<![\w-])[\w-]{23,28}\.[\w-]{6,7}\.[\w-]{27,}(?![\w-])",  # a bot token
    r"\b(?:sk|rk|pk)-[\w*.-]*[\w*]{6,}",  # API keys, also half hidden ones as services quote them
    r"aW50ZXJhY3Rpb24[\w+/=-]{8,}",  # an interaction token: base64 of "interaction…"
    r"(?<![\w-])[A-Za-z0-9_-]{43}=(?![\w=-])",  # a Fernet key
    r"(?<![\w-])gAAAAA[\w-]{20,}={0,2}",  # what a Fernet key has sealed
)
_BEFORE = re.compile("|".join(_AFTER), re.IGNORECASE)
_SHAPE = re.compile("|".join(_SHAPES))

# Their lines below a warning hold whole requests: prompts, statements with parameters. None of it helps an operator.
QUIET = ("aiosqlite", "asyncio", "httpcore2", "httpx2", "openai", "PIL", "sqlalchemy", "asyncpg")

_ESCAPES = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0)) if code not in (0x09, 0x0A)}
_ESCAPES.update({code: f"\\u{code:04x}" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x2028, 0x2029)})
_ONE_LINE = {**_ESCAPES, 0x0A: "\\n", 0x09: "\\t"}

_LEVELS = {"DEBUG": logging.DEBUG, "INFO": logging.INFO, "WARNING": logging.WARNING, "ERROR": logging.ERROR}


class Redactor:
    """Takes secrets out of text: by shape, by what stands before them, and by the very values of this process."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        longest_first = sorted({s for s in secrets if len(s) >= 6}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def clean(self, text: str) -> str:
        """The text with ``[redacted]`` in place of every secret."""
        if self._known is not None:
            text = self._known.sub(REDACTED, text)
        return _BEFORE.sub(_keep_what_leads, _SHAPE.sub(REDACTED, text))

    def clean_value(self, value: Any) -> Any:
        """The same for anything a log record may hold; what is no text, number or container becomes its repr."""
        match value:
            case None | bool() | int() | float():
                return value
            case str():
                return self.clean(value)
            case Mapping():
                return {str(key): self._clean_pair(str(key), item) for key, item in value.items()}
            case list() | tuple() | set() | frozenset():
                return [self.clean_value(item) for item in value]
            case _:
                return self.clean(repr(value))

    def _clean_pair(self, key: str, value: Any) -> Any:
        return REDACTED if isinstance(value, str) and _NAMES_A_SECRET.search(key) else self.clean_value(value)


_NAMES_A_SECRET = re.compile(r"(token|api_?key|password|authorization|secret(_key)?)$", re.IGNORECASE)


def _keep_what_leads(match: re.Match[str]) -> str:
    return f"{next(group for group in match.groups() if group is not None)}{REDACTED}"


def one_line(text: str) -> str:
    """The text without anything that could move a terminal's cursor, turn its text around, or begin a new line."""
    return text.translate(_ONE_LINE)


class _Cleaning:
    """The last step before rendering: every value redacted, every text on one line (tracebacks keep their lines)."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor

    def __call__(self, _logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        return {key: self._one(key, value) for key, value in event.items()}

    def _one(self, key: str, value: Any) -> Any:
        if key.startswith("_") or key == "exc_info":
            return value
        cleaned = self._redactor._clean_pair(key, value)
        if key == "exception":
            return str(cleaned).translate(_ESCAPES)
        return one_line(cleaned) if isinstance(cleaned, str) else cleaned


class _Formatter(structlog.stdlib.ProcessorFormatter):
    """Renders a record and looks over the finished line once more."""

    def __init__(self, redactor: Redactor, renderer: Any) -> None:
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
) -> Redactor:
    """Sends every record of the process, redacted, to ``stream`` (standard error). Safe to call again.

    ``style`` is ``console`` or ``json``. Returns the redactor, for other text that leaves the process.
    """
    stream = stream or sys.stderr
    redactor = Redactor(secrets)
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
