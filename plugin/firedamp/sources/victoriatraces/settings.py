"""How to reach a VictoriaTraces, and how much to ask it at a time."""

from typing import Annotated, Literal

from pydantic import Field

from firedamp.sources._http import HttpSettings
from firedamp.sources.jaeger import JaegerSettings
from firedamp.units import Delay, Seconds

Tenant = Annotated[str, Field(pattern=r"^[0-9]{1,10}(:[0-9]{1,10})?$")]


class VictoriaTracesSettings(HttpSettings):
    """A VictoriaTraces that is one process, or the vtselect of a cluster."""

    example = "http://victoria-traces.observability:10428"

    kind: Literal["victoriatraces"] = "victoriatraces"
    #: Address without /select, for example http://victoria-traces.observability:10428.
    url: str
    #: Account, or account:project, sent as AccountID and ProjectID.
    tenant: Tenant | None = None
    #: Longest time for one search.
    timeout: Seconds = 10.0
    #: Searches asked at a time.
    max_concurrent: int = Field(default=2, ge=1, le=64)
    #: Traces asked for by one search, at most its -search.maxTraces.
    max_traces: int = Field(default=1000, ge=2, le=1_000_000)
    #: Largest answer to one search; a trace of ten spans is some 8 kB.
    max_response_bytes: int = Field(default=50_000_000, ge=10_000)
    #: Traces take at most so long, and the service is entered within it.
    reach: Delay = 60.0
    #: As its -search.latencyOffset: nothing younger is shown.
    latency_offset: Delay = 30.0

    def jaeger(self) -> JaegerSettings:
        """The Jaeger that it stands in for."""
        own = self.model_dump(exclude={"kind", "url", "tenant", "latency_offset", "headers"})
        account, _, project = (self.tenant or "").partition(":")
        tenant = {"AccountID": account, "ProjectID": project or "0"} if account else {}
        return JaegerSettings(
            **own, url=f"{self.url}/select/jaeger", api="v1", headers={**self.headers, **tenant}
        )
