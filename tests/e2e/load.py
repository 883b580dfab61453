"""Requests at a steady rate, whatever the answers: an open loop, as users are."""

import asyncio
import time
from collections import Counter
from contextlib import suppress

import aiohttp

#: What a user waits for an answer.
PATIENCE_SECONDS = 20.0
#: Requests that are not answered yet; beyond, new ones are left out and counted.
MOST_OPEN = 400


class Load:
    """
    Requests to one address, between `run` and its being cancelled.

    Attributes:
        answers: how many of each status; 0 for none at all.
        left_out: requests not sent because too many were open.
    """

    def __init__(
        self, url: str, per_second: float, *, proxy: str, headers: dict[str, str] | None = None
    ) -> None:
        self._url = url
        self._pause = 1.0 / per_second
        self._proxy = proxy
        self._headers = headers or {}
        self._open: set[asyncio.Task[None]] = set()
        self.answers: Counter[int] = Counter()
        self.left_out = 0

    async def run(self) -> None:
        """Until cancelled."""
        timeout = aiohttp.ClientTimeout(total=PATIENCE_SECONDS)
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(timeout=timeout, connector=connector) as client:
            try:
                await self._sent(client)
            finally:
                for task in self._open:
                    task.cancel()
                await asyncio.gather(*self._open, return_exceptions=True)

    async def _sent(self, client: aiohttp.ClientSession) -> None:
        due = time.monotonic()
        while True:
            if len(self._open) < MOST_OPEN:
                task = asyncio.create_task(self._ask(client))
                self._open.add(task)
                task.add_done_callback(self._open.discard)
            else:
                self.left_out += 1
            due += self._pause
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def _ask(self, client: aiohttp.ClientSession) -> None:
        status = 0
        with suppress(aiohttp.ClientError, TimeoutError):
            async with client.post(
                self._url, data='{"order": 1}', headers=self._headers, proxy=self._proxy
            ) as answer:
                await answer.read()
                status = answer.status
        self.answers[status] += 1
