"""Whether and where the Kubernetes API is asked; a pod is told all but the whether."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

from firedamp.errors import ConfigError
from firedamp.units import Seconds

#: Where Kubernetes puts what a pod's service account needs.
_MOUNTED = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_FilePath = Annotated[Path, Field(strict=False)]
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class Place:
    """
    Where the API is, and who we are to it.

    Attributes:
        token_file: read again for every call, for the token in it is renewed; None where none is sent.
        ca_file: certificates to trust; None where nothing is encrypted.
    """

    url: str
    token_file: Path | None = None
    ca_file: Path | None = None


class KubernetesSettings(BaseModel):
    """What firedamp does with the Kubernetes API; nothing without being asked to."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: Write what becomes of a release as events on its Rollout or Canary, for `kubectl describe`.
    events: bool = False
    #: Close releases whose end nobody reported by the state of their Rollout or Canary.
    endings: bool = False
    #: Address of the API; null for the one that a pod is told. http only for a proxy on loopback.
    url: str | None = None
    token_file: _FilePath = _MOUNTED / "token"
    ca_file: _FilePath = _MOUNTED / "ca.crt"
    #: Longest time for one call.
    timeout: Seconds = 5.0

    @field_validator("url")
    @classmethod
    def _safe(cls, url: str | None) -> str | None:
        if url is None:
            return None
        parts = urlsplit(url)
        if not parts.hostname or "@" in parts.netloc or parts.query or parts.fragment:
            raise ValueError("write it like https://10.0.0.1:6443")
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
            raise ValueError("a token is sent along, so it begins with https:// (http:// on loopback only)")
        return url.rstrip("/")

    def place(self, environ: Mapping[str, str]) -> Place:
        """
        Where the API is.

        Raises:
            ConfigError: neither the settings nor the environment say so.
        """
        url = self.url or _told(environ)
        if url.startswith("http://"):
            return Place(url)
        return Place(url, self.token_file, self.ca_file)


def _told(environ: Mapping[str, str]) -> str:
    """The address that Kubernetes tells every pod."""
    host, port = environ.get("KUBERNETES_SERVICE_HOST", ""), environ.get("KUBERNETES_SERVICE_PORT", "443")
    if not host:
        raise ConfigError(
            "kubernetes: events or endings is on, and there is no KUBERNETES_SERVICE_HOST: "
            "this is no pod; set kubernetes.url, or leave both off"
        )
    return f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"
