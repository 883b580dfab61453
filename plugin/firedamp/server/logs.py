"""
Structured logs on standard error: one JSON object per line, or colours for people.

Log lines carry the route's template and never a path, for Flagger's paths hold secrets. What libraries log
through the standard library goes the same way.
"""

import logging
import sys

import stamina
import structlog
from structlog.types import Processor

from firedamp.config import Log

_SHARED: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)


def configure(log: Log) -> None:
    """Set up logging for the whole process."""
    level = logging.getLevelNamesMapping()[log.level.upper()]
    structlog.configure(
        processors=[*_SHARED, *_last(log)],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*_SHARED, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_last(log)],
        )
    )
    logging.basicConfig(handlers=[handler], level=max(level, logging.INFO), force=True)
    # A second attempt within a look is no news; what fails for good is counted and said.
    stamina.instrumentation.set_on_retry_hooks(())
    # Access is logged by the middleware, with templates instead of paths.
    logging.getLogger("aiohttp.access").disabled = True


def _last(log: Log) -> list[Processor]:
    # Without the frames' variables, which structlog shows unless told otherwise: secrets are among them.
    if log.format == "console":
        plain = structlog.dev.plain_traceback
        return [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)]
    frames = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
    return [
        structlog.processors.ExceptionRenderer(frames),
        structlog.processors.JSONRenderer(ensure_ascii=False),
    ]
