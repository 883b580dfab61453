"""How to reach a Tempo, how much to ask it at a time, and which attributes to ask for."""

from typing import Annotated, Literal

from pydantic import Field

from firedamp.sources._http import HttpSettings
from firedamp.units import Delay, Seconds

#: These need no quotes in TraceQL.
Attribute = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_./-]{0,199}$")]


class TempoSettings(HttpSettings):
    """The query frontend of a Tempo, 2.8 or later, or a Tempo that is one process."""

    example = "http://tempo-query-frontend.observability:3200"

    kind: Literal["tempo"] = "tempo"
    #: Address with Tempo's http_api_prefix and without /api, for example http://tempo.observability:3200.
    url: str
    #: Tenant of a shared Tempo, sent as X-Scope-OrgID.
    tenant: str | None = None
    #: Longest time for one search.
    timeout: Seconds = 10.0
    #: Searches asked at a time.
    max_concurrent: int = Field(default=4, ge=1, le=64)
    #: Traces asked for by one search; Tempo refuses more than its query_frontend.search.max_result_limit.
    max_traces: int = Field(default=10_000, ge=2, le=1_000_000)
    #: Largest answer to one search; a span is some 1 kB.
    max_response_bytes: int = Field(default=50_000_000, ge=10_000)
    #: The service is entered at most so long after a trace began.
    reach: Delay = 60.0
    #: More attributes of resources that tell cohorts apart, for example k8s.pod.label.track.
    attributes: Annotated[tuple[Attribute, ...], Field(strict=False)] = ()
    #: Attributes by which callers tell whom they call, each a search; none where calls do not matter.
    peers: Annotated[tuple[Attribute, ...], Field(strict=False)] = (
        "server.address",
        "peer.service",
        "net.peer.name",
        "upstream_cluster",
    )
