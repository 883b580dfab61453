"""
A release's looks as a file: one line for each check at each look, oldest first.

Spreadsheets take a cell that begins with = + - or @ for a formula; such a text gets an apostrophe before it.
"""

import asyncio
import csv
import io
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from aiohttp import web

from firedamp.model import Finding, Look, Release
from firedamp.ui.views.site import Site
from firedamp.ui.wording.marks import so_far

#: So many looks are read and written at once.
_AT_ONCE = 50
_OF_LOOK = ("look", "start", "end", "step", "weight", "verdict")
_OF_FINDING = (
    "check", "kind", "tier", "outcome", "against", "unit", "baseline", "canary", "baseline_n", "canary_n",
    "effect", "effect_low", "effect_high", "tolerance", "p_value", "alpha", "one_look_p", "needs",
    "detectable", "set_aside", "sentence",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


@dataclass(frozen=True, slots=True)
class DownloadViews:
    """Files to keep."""

    site: Site

    def routes(self) -> list[web.RouteDef]:
        return [web.get(r"/releases/{id:[^/.]+}.csv", self.looks)]

    async def looks(self, request: web.Request) -> web.StreamResponse:
        """All looks of a release, however many; a page of them is in memory at a time."""
        release = await self.site.release(request)
        response = web.StreamResponse(
            headers={
                "Content-Type": "text/csv; charset=utf-8; header=present",
                "Content-Disposition": f'attachment; filename="{_file_name(release)}"',
                "Cache-Control": "no-store",
                "Vary": "Accept-Encoding",
            }
        )
        response.enable_compression()
        await response.prepare(request)
        await response.write(_lines([(*_OF_LOOK, *_OF_FINDING)]))
        after = -1
        while looks := await self.site.store.looks(release.id, after=after, limit=_AT_ONCE):
            await response.write(await asyncio.to_thread(_told, looks))
            after = looks[-1].evidence.block.index
        await response.write_eof()
        return response


def _file_name(release: Release) -> str:
    """Letters and digits only: the name is the caller's, and the file the reader's."""
    plain = "".join(one if one.isascii() and one.isalnum() else "-" for one in release.key.service)
    return f"{plain[:80]}-{release.id}.csv"


def _lines(rows: Iterable[Sequence[object]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([_cell(one) for one in row] for row in rows)
    return text.getvalue().encode("utf-8", "replace")


def _told(looks: Sequence[Look]) -> bytes:
    return _lines(line for look in looks for line in _of(look))


def _cell(value: object) -> object:
    match value:
        case None:
            return ""
        case float():
            return repr(value) if math.isfinite(value) else ""
        case str() if value.startswith(_FORMULA):
            return f"'{value}"
        case _:
            return value


def _of(look: Look) -> Iterator[tuple[object, ...]]:
    told, block = look.evidence, look.evidence.block
    head = (block.index, block.start, block.end, told.step, told.weight, so_far(look.standing).value)
    for finding in look.findings:
        yield (*head, *_said(finding))


def _said(finding: Finding) -> list[object]:
    low, high = finding.interval or (None, None)
    ends = {"effect_low": low, "effect_high": high}
    return [ends[column] if column in ends else getattr(finding, column) for column in _OF_FINDING]
