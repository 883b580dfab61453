"""How a Jaeger is asked, and how it says no: by 404 that there is nothing, by 500 that too much was asked."""

from firedamp.sources._client import HttpClient, Manners
from firedamp.sources.jaeger.dialects import complaint
from firedamp.sources.jaeger.settings import JaegerSettings


def client(settings: JaegerSettings) -> HttpClient:
    """Asks the Jaeger that the settings describe."""

    def remedy(said: str) -> str:
        if "search depth" not in said:
            return ""
        return f"max_traces is {settings.max_traces}, lower it to what the store allows"

    return HttpClient(
        settings,
        Manners(complaint, answers=(200, 404), tenant_header=settings.tenant_header, remedy=remedy),
    )
