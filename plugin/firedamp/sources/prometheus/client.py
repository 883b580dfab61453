"""
One query to a Prometheus, and its answer read.

A query is sent as a form: its length is not bound by what proxies take for an address.
"""

from collections.abc import Mapping

from firedamp.errors import SourceDownError
from firedamp.sources._client import HttpClient, Manners, Question
from firedamp.sources._http import PrometheusSettings
from firedamp.sources.prometheus import wire

_MANNERS = Manners(wire.complaint, too_large="narrow the query or raise max_response_bytes")


class Client:
    """Sends queries to one server, so many at a time."""

    def __init__(self, settings: PrometheusSettings) -> None:
        self._settings = settings
        self._http = HttpClient(settings, _MANNERS)

    async def ask(
        self,
        path: str,
        form: Mapping[str, str],
        *,
        within_seconds: float,
        after: float = float("-inf"),
        until: float = float("inf"),
    ) -> wire.Answer:
        """
        Post a form and read the answer's samples in (after, until].

        Raises:
            SourceDownError: no answer in time, or none that a Prometheus gives.
            SourceRefusedError: the server understood and said no, or its answer is too large.
        """
        body = await self._within(min(within_seconds, self._settings.timeout), path, form)
        try:
            return wire.answer(body, after=after, until=until)
        except ValueError as error:
            said = self._http.said(f"answered with nothing a Prometheus says: {error}")
            raise SourceDownError(said) from error

    async def close(self) -> None:
        """Close all connections."""
        await self._http.close()

    async def _within(self, seconds: float, path: str, form: Mapping[str, str]) -> bytes:
        if seconds <= 0:
            raise SourceDownError(self._http.said("no time left to ask"))
        form = {**form, "timeout": f"{max(1, int(1000 * seconds))}ms", "partial_response": "false"}
        question = Question(f"/api/v1/{path}", form=form)
        answer = await self._http.ask(question, seconds=seconds, waiting=True)
        return answer.body
