"""
How a Jaeger is asked, and how it says no: by 404 that there is nothing, by 500 that too much was asked.

What answers in Jaeger's place says the latter with words of its own.
"""

from collections.abc import Callable

from firedamp.sources._client import HttpClient, Manners
from firedamp.sources.jaeger.settings import JaegerSettings

_TOO_MANY = ("search depth", "out of range [0")


def client(settings: JaegerSettings, complaint: Callable[[bytes], str]) -> HttpClient:
    """Asks what the settings describe; `complaint` finds in a body what is wrong."""

    def remedy(said: str) -> str:
        if not any(words in said for words in _TOO_MANY):
            return ""
        return f"max_traces is {settings.max_traces}, lower it to what the store allows"

    return HttpClient(
        settings,
        Manners(complaint, answers=(200, 404), tenant_header=settings.tenant_header, remedy=remedy),
    )
