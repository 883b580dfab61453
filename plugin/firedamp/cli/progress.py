"""Shows that something is being waited for: a live line on a terminal, a line per change elsewhere."""

from types import TracebackType
from typing import Self, TextIO

from rich.console import Console
from rich.markup import escape
from rich.status import Status

from firedamp.cli import render
from firedamp.cli.instants import clock_time
from firedamp.model import Verdict
from firedamp.units import spoken_duration


class Progress:
    """Tells of each answer while a verdict is waited for; a context manager."""

    def __init__(self, about: str, stream: TextIO) -> None:
        self._console = Console(file=stream)
        self._status = Status(f"{escape(about)}: asking", console=self._console)
        self._about = about
        self._said = ""

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._status.stop()

    def saw(self, verdict: Verdict) -> None:
        """Take in one answer; only what changed becomes a line of its own."""
        said = render.headline(verdict)
        if said != self._said:
            self._said = said
            self._console.print(
                f"{clock_time(verdict.at)}  {said}", markup=False, highlight=False, soft_wrap=True
            )
        self._status.update(escape(f"{self._about}: {waiting(verdict)}"))


def waiting(verdict: Verdict) -> str:
    """How far it is, and when a decision is expected."""
    block = "first look" if verdict.block is None else f"look {verdict.block}"
    if verdict.expected is None or verdict.expected <= verdict.at:
        return f"{verdict.outcome}, {block}"
    return f"{verdict.outcome}, {block}, expected in {spoken_duration(verdict.expected - verdict.at)}"
