"""Logs: one JSON object a line, with the ids of request, job and migration bound by contextvars.

As a last net, whatever looks like a credential or an email address is taken out of every line,
whoever wrote it: our own code or a library. Of exceptions the type and the places in the code are
written and not their text: it may quote a record, with the name and address of a customer.
"""

from __future__ import annotations

import logging
import re
import sys
import traceback
from collections.abc import Iterator, MutableMapping
from typing import Any

import structlog
from structlog.typing import ExcInfo

HIDDEN = "[hidden]"
_SECRET_NAME = re.compile(
    r"pass(word|wd|phrase)?$|secret|token|authorization|credential|api_?key$|cookie|signature|"
    r"consumer_key|private_key|encryption_key",
    re.IGNORECASE,
)
_SECRET_TEXT = re.compile(
    r"""
      (?P<url>://)[^\s/@:'"]*:[^\s/@'"]+@                             # user:password@ of a URL
    | (?P<scheme>\b(?:Bearer|Basic)\s+)[A-Za-z0-9._~+/=-]{8,}
    | \brs_[0-9a-z]+_[A-Za-z0-9_-]{8,}                                # our own API keys
    | \b(?:ck|cs|shpat|shpss|shpca)_[A-Za-z0-9]{8,}                   # keys of shops
    | (?P<query>[?&](?:oauth_|consumer_|access_|api_)?(?:key|secret|token|signature)=)[^&\s'"]+
    | [\w.+%-]+@[\w-]+(?:\.[\w-]+)+                                   # email addresses
    """,
    re.VERBOSE | re.IGNORECASE,
)


def redact(text: str) -> str:
    """The text without credentials and email addresses."""
    return _SECRET_TEXT.sub(_hide, text)


def _hide(match: re.Match[str]) -> str:
    if match["url"]:
        return f"://{HIDDEN}@"
    return f"{match['scheme'] or match['query'] or ''}{HIDDEN}"


def redact_event(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor that cleans names and values, however deep."""
    return {name: _clean(name, value) for name, value in event.items()}


def _clean(name: str, value: Any) -> Any:
    if _SECRET_NAME.search(name) and value is not None and not isinstance(value, bool):
        return HIDDEN
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {key: _clean(str(key), each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean("", each) for each in value]
    if isinstance(value, int | float | None):
        return value
    return redact(str(value))


def configure(level: str = "INFO", form: str = "json") -> None:
    """Send all logs of the process to standard error, in one form. May be called again."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=_rendering(form))
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    _quieten()


def _rendering(form: str) -> list[Any]:
    meta = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    trace = structlog.processors.ExceptionRenderer(_places)
    if form == "text":
        return [meta, trace, redact_event, structlog.dev.ConsoleRenderer(colors=False)]
    return [meta, trace, redact_event, structlog.processors.JSONRenderer()]


def _places(exc_info: ExcInfo) -> str:
    """Types and places of an exception and of those that led to it, as a traceback has them."""
    return "\n".join(_told(exc_info[1], frozenset()))


def _told(error: BaseException, told: frozenset[int]) -> Iterator[str]:
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    told |= {id(error)}
    inner = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    for each in (before, *inner):
        if each is not None and id(each) not in told:
            yield from _told(each, told)
    kind, places = type(error), "".join(traceback.format_tb(error.__traceback__))
    yield f"{places}{kind.__module__}.{kind.__qualname__}"


def _quieten() -> None:
    """Libraries speak through the root logger; uvicorn's access lines would hold query strings."""
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "arq", "arq.worker", "alembic"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    logging.getLogger("uvicorn.access").disabled = True
    for name in ("httpx", "httpcore", "asyncio", "sse_starlette", "arq", "arq.worker", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
