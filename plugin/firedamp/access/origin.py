"""
Requests that another site makes a browser send.

Browsers say so themselves in `Sec-Fetch-Site`; where it is missing, `Origin` must name this host. Programs
send neither and are let through: they carry no cookies that anyone could borrow.

Source: OWASP Cross-Site Request Forgery Prevention Cheat Sheet, "Fetch Metadata headers".
"""

from collections.abc import Mapping
from urllib.parse import urlsplit

#: Methods that change nothing.
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def cross_site(method: str, headers: Mapping[str, str], hosts: frozenset[str]) -> str | None:
    """
    Why a request that could change something is refused; None when it may go on.

    `hosts` are the names (with port) under which this service is reached: the Host header, public_url's.
    """
    if method in SAFE:
        return None
    site = headers.get("Sec-Fetch-Site")
    if site is not None:
        return None if site in ("same-origin", "none") else f"Sec-Fetch-Site is {site[:40]!r}"
    origin = headers.get("Origin")
    if origin is None or _host(origin) in hosts:
        return None
    return f"Origin is {origin[:100]!r}"


def _host(origin: str) -> str:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""
