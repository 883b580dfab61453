"""What lies where: addresses of programs, addresses of people, and those that are open to everybody."""

#: Below these only programs change anything; each dialect has its own answers.
PROGRAMS = ("/api/", "/argo/", "/flagger/", "/promql/", "/v1/")
#: Below these a role of people is not enough: whoever asks here wants a verdict, or brings spans.
_ASKING = ("/argo/", "/promql/", "/v1/")
_PROBES = frozenset({"/livez", "/readyz", "/startupz", "/metrics"})
_OPEN = _PROBES | {"/login", "/logout", "/api/v1/openapi.json"}
_OPEN_BELOW = ("/static/", "/flagger/")


def is_open(path: str) -> bool:
    """Whether no token is asked for at the door; `/flagger/` asks for the path's own secret."""
    return path in _OPEN or path.startswith(_OPEN_BELOW)


def of_people(path: str) -> bool:
    """Whether a page is what answers here."""
    return not path.startswith((*PROGRAMS, "/static/")) and path not in _PROBES


def least_role(path: str) -> str:
    """The role without which nothing answers here; what is done there may need a greater one."""
    return "asker" if path.startswith(_ASKING) else "viewer"
