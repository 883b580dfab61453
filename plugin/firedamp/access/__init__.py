"""
Who may ask: bearer tokens, Flagger's path secrets, browser sessions, and where to listen without any.

Only digests are kept. A secret of ours carries 192 random bits, so plain SHA-256 is enough: there is
nothing to guess. Digests are compared in constant time and every one of them is looked at, so that time
tells a caller neither whether nor where a secret matched. A path secret stands in the manifest of a Canary
for all to read, so it is good in paths only, never as a bearer token. What a role may do is told by `roles`.
"""

from firedamp.access.attempts import Attempts, caller
from firedamp.access.cookies import SESSION_SECONDS, Sessions, form_cookie, session_cookie
from firedamp.access.issuing import Issuer
from firedamp.access.keyring import Keyring, first_token
from firedamp.access.listening import loopback_host, loopback_only
from firedamp.access.origin import SAFE, cross_site
from firedamp.access.proxies import PROXIED, Proxies
from firedamp.access.roles import PEOPLE, PROGRAMS, ROLES, included, may, permitted
from firedamp.access.seals import SEAL, SEAL_SECONDS, seal, unsealed
from firedamp.access.tokens import ANYBODY, digest, new_secret, read_file

__all__ = [
    "ANYBODY",
    "PEOPLE",
    "PROGRAMS",
    "PROXIED",
    "ROLES",
    "SAFE",
    "SEAL",
    "SEAL_SECONDS",
    "SESSION_SECONDS",
    "Attempts",
    "Issuer",
    "Keyring",
    "Proxies",
    "Sessions",
    "caller",
    "cross_site",
    "digest",
    "first_token",
    "form_cookie",
    "included",
    "loopback_host",
    "loopback_only",
    "may",
    "new_secret",
    "permitted",
    "read_file",
    "seal",
    "session_cookie",
    "unsealed",
]
