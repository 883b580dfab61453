"""
Who may ask: bearer tokens, Flagger's path secrets, browser sessions, and where to listen without any.

Only digests are kept. A secret of ours carries 192 random bits, so plain SHA-256 is enough: there is
nothing to guess. Digests are compared in constant time and every one of them is looked at, so that time
tells a caller neither whether nor where a secret matched. A path secret stands in the manifest of a Canary
for all to read, so it is good in paths only, never as a bearer token; and a browser's session may read,
never write.

    role         may
    asker        ask for verdicts, read releases and the audit trail
    gatekeeper   that, and open gates, hold services, report outcomes
    admin        all of it
"""

from firedamp.access.cookies import COOKIE, SESSION_SECONDS, Sessions
from firedamp.access.keyring import Keyring, first_token
from firedamp.access.listening import loopback_host, loopback_only
from firedamp.access.origin import cross_site
from firedamp.access.tokens import ANYBODY, digest, may, new_secret, permitted, read_file

__all__ = [
    "ANYBODY",
    "COOKIE",
    "SESSION_SECONDS",
    "Keyring",
    "Sessions",
    "cross_site",
    "digest",
    "first_token",
    "loopback_host",
    "loopback_only",
    "may",
    "new_secret",
    "permitted",
    "read_file",
]
