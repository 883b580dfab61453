"""
Where people go on from a page: the address of Prometheus or Grafana with a place for a query in it.

Off until somebody writes one. A template is an address on http or https with named places in braces and
nothing else in braces; what goes into a place is encoded whole, so that no query can leave its own.
"""

import json
from typing import Annotated
from urllib.parse import quote

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

#: What a template may ask for: the PromQL, the same for within a string of JSON (whose quotes would end at
#: those of the PromQL), and the time in Unix milliseconds and as ISO 8601.
PLACES = ("query", "query_json", "from_ms", "to_ms", "from", "to")
_EXAMPLE = "https://prometheus.example/graph?g0.expr={query}"


def _template(text: str) -> str:
    rest = text
    for place in PLACES:
        rest = rest.replace(f"{{{place}}}", "")
    if not text.startswith(("http://", "https://")) or not rest.isprintable() or " " in rest:
        raise ValueError(f"{text!r} is no address; write it like {_EXAMPLE}")
    if "{" in rest or "}" in rest:
        known = ", ".join(f"{{{place}}}" for place in PLACES)
        raise ValueError(f"{text!r}: places are {known}; encode other braces")
    host = text.partition("://")[2].partition("/")[0].partition("?")[0]
    if not host or "{" in host or not any(one in text for one in ("{query}", "{query_json}")):
        raise ValueError(f"{text!r}: {{query}} or {{query_json}} belongs behind the host's name")
    return text


Template = Annotated[str, Field(max_length=2000), AfterValidator(_template)]


class Links(BaseModel):
    """Where the pages' queries can be opened."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: Like https://prometheus.example/graph?g0.expr={query}&g0.tab=0
    prometheus: Template | None = None
    #: Like https://grafana.example/explore?panes=... with {query_json}, {from_ms} and {to_ms} in it.
    grafana: Template | None = None

    def named(self) -> tuple[tuple[str, str], ...]:
        """What people call each, and its template."""
        each = (("Prometheus", self.prometheus), ("Grafana", self.grafana))
        return tuple((name, template) for name, template in each if template is not None)


def filled(template: str, values: dict[str, str]) -> str:
    """The address with its places filled, each value encoded; a place without a value is empty."""
    known = {**values, "query_json": json.dumps(values.get("query", ""))[1:-1]}
    for place in PLACES:
        template = template.replace(f"{{{place}}}", quote(known.get(place, ""), safe=""))
    return template
