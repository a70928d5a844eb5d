"""What the ledger's work uses of a connection, whichever engine is behind it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from sqlalchemy import CursorResult, Executable

T = TypeVar("T")


class Connection(Protocol):
    """One transaction. SQLAlchemy's ``AsyncConnection`` is one; its module, which loads the ORM, is loaded only where
    that is the only way (PostgreSQL, tools).
    """

    async def execute(self, statement: Executable, parameters: Any = None, /) -> CursorResult[*tuple[Any, ...]]: ...
    async def scalar(self, statement: Executable, parameters: Any = None, /) -> Any: ...
    async def exec_driver_sql(self, statement: str, parameters: Any = None, /) -> CursorResult[*tuple[Any, ...]]: ...
    async def run_sync(self, work: Callable[..., T], /, *given: Any) -> T: ...
