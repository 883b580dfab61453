"""Logging as it was, after a test that served the application as a process would."""

import logging
from contextlib import contextmanager

import structlog


@contextmanager
def logging_restored():
    """Put back what `firedamp.server.logs.configure` changes for the whole process."""
    root = logging.getLogger()
    handlers, level, known = root.handlers[:], root.level, structlog.get_config()
    try:
        yield
    finally:
        structlog.configure(**known)
        root.handlers[:] = handlers
        root.setLevel(level)
