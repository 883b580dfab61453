"""What every source has of `async with`."""

from abc import ABC, abstractmethod
from typing import Self


class Closing(ABC):
    """Lets connections go at the end of `async with`."""

    @abstractmethod
    async def close(self) -> None:
        """Let connections go."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
