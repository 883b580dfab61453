"""Who may ask, as the settings say: tokens, and a proxy that signs people in."""

from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

#: A header's name (RFC 9110, 5.1), as long as sensible ones are.
Header = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$")]
#: A group of people as the proxy names it; "*" is everybody whom it has signed in.
Group = Annotated[str, StringConstraints(pattern=r"^[^,\s\x00-\x1f]([^,\x00-\x1f]{0,198}[^,\s\x00-\x1f])?$")]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Proxy(_Section):
    """People who come through a proxy that has signed them in (OIDC): it tells their name and groups."""

    #: Where the proxy asks from; what others write into these headers is ignored and counted.
    addresses: tuple[IPv4Network | IPv6Network, ...] = Field(min_length=1)
    user_header: Header = "X-Forwarded-User"
    groups_header: Header = "X-Forwarded-Groups"
    #: Groups of each role; a person has the strongest role of theirs, and without one comes no further.
    roles: dict[Literal["viewer", "ruler", "tuner", "admin"], tuple[Group, ...]] = Field(min_length=1)

    @model_validator(mode="after")
    def _told_apart(self) -> "Proxy":
        if self.user_header.lower() == self.groups_header.lower():
            raise ValueError(f"user_header and groups_header are both {self.user_header!r}; name two headers")
        if everywhere := next((one for one in self.addresses if one.prefixlen == 0), None):
            raise ValueError(f"{everywhere} is every address there is; name those of the proxy alone")
        return self


class Auth(_Section):
    """Who may ask. On by default."""

    required: bool = True
    #: Files that each hold one bearer token (mounted secrets), by the token's name.
    token_files: dict[str, str] = Field(default_factory=dict)
    #: A proxy that signs people in; null for none.
    proxy: Proxy | None = None
    #: Proxies in front (an ingress) whose X-Forwarded-For is believed when attempts to log in are counted.
    forwarded_by: tuple[IPv4Network | IPv6Network, ...] = ()

    @model_validator(mode="after")
    def _asks(self) -> "Auth":
        if self.proxy is not None and not self.required:
            raise ValueError("proxy signs people in, and required is false; set required: true")
        return self
