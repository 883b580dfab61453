"""
Drivers' errors become ours, here and nowhere else.

Messages are the database's own first line: never the statement or its values, which may be long or
secret.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg  # type: ignore[import-untyped]  # it ships no types
from sqlalchemy.exc import IntegrityError, SQLAlchemyError, StatementError

from firedamp.errors import ConflictError, StoreError

_DUPLICATES = {"23505", "SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY"}


@contextmanager
def translated() -> Iterator[None]:
    """Raise StoreError for whatever a driver raises, ConflictError for a duplicate."""
    try:
        yield
    except IntegrityError as error:
        if _code(error.orig) in _DUPLICATES:
            raise ConflictError(f"somebody else wrote first: {_said(error)}") from error
        raise StoreError(f"the store refused to write: {_said(error)}") from error
    except (SQLAlchemyError, sqlite3.Error, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise StoreError(f"the store failed: {_said(error)}") from error
    except TimeoutError as error:
        raise StoreError("the store did not answer in time; is the database overloaded?") from error
    except OSError as error:
        raise StoreError(f"the store cannot be reached: {error}") from error


def _code(cause: BaseException | None) -> str:
    """PostgreSQL's SQLSTATE or SQLite's name of an error."""
    original = getattr(cause, "__cause__", None) or cause
    return str(getattr(original, "sqlstate", None) or getattr(original, "sqlite_errorname", ""))


def _said(error: Exception) -> str:
    cause = error.orig if isinstance(error, StatementError) and error.orig else error
    return (str(cause).strip() or type(cause).__name__).splitlines()[0]
