"""How to reach a Jaeger, and how much to ask it at a time."""

from typing import Annotated, Literal

from pydantic import Field

from firedamp.sources._http import HttpSettings
from firedamp.units import Delay, Seconds

Header = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]+$")]


class JaegerSettings(HttpSettings):
    """The query service of a Jaeger: 2.x by its API v3, older ones by v1."""

    example = "http://jaeger-query.observability:16686"

    kind: Literal["jaeger"] = "jaeger"
    #: Address with the base path and without /api, for example http://jaeger-query.observability:16686.
    url: str
    #: Tenant of a shared Jaeger, sent as `tenant_header`.
    tenant: str | None = None
    #: As the Jaeger's own setting multi_tenancy.header.
    tenant_header: Header = "x-tenant"
    #: Which API to speak; auto asks v3 once, and v1 where that is unknown.
    api: Literal["auto", "v3", "v1"] = "auto"
    #: Longest time for one search.
    timeout: Seconds = 10.0
    #: Searches asked at a time.
    max_concurrent: int = Field(default=2, ge=1, le=64)
    #: Traces asked for by one search; the store may allow fewer (in memory: its max_traces).
    max_traces: int = Field(default=5000, ge=2, le=1_000_000)
    #: Largest answer to one search; a trace of ten spans is some 5 kB.
    max_response_bytes: int = Field(default=50_000_000, ge=10_000)
    #: The service is entered at most so long after a trace began; finds traces where no flow is named.
    reach: Delay = 60.0
