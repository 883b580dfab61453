"""
Seals of forms: what a page of ours gives every form, so that no other page can have made it.

A seal is the instant at which the page was drawn, some chance, and a keyed digest of both. The key is the
secret of the browser that the page was drawn for, which stands in a cookie that no script can read; so a seal
is good in that browser's session only, and for some hours. By its chance it is another one in every answer:
answers are packed, and their length must tell nothing of a seal that comes again (BREACH).

Source: OWASP Cross-Site Request Forgery Prevention Cheat Sheet, "Signed Double-Submit Cookie".
"""

import hashlib
import hmac
import secrets

#: So long a page may lie open before its forms are too old.
SEAL_SECONDS = 4 * 3600
#: The field of a form that carries its seal.
SEAL = "csrf"
_MOST_CHARACTERS = 128
_CHANCE_BYTES = 8
_NOTHING = "nothing was changed; look at it once more, and send it again"


def seal(secret: str, now: float) -> str:
    """What a form of a page that is drawn now carries."""
    drawn = f"{int(now)}-{secrets.token_hex(_CHANCE_BYTES)}"
    return f"{drawn}.{_digest(secret, drawn)}"


def unsealed(secret: str, given: str, now: float) -> str | None:
    """Why a form's seal does not hold; None where it does."""
    if not given:
        return f"the form carries no seal of this page ({SEAL}): {_NOTHING}"
    drawn, _, digest = given[:_MOST_CHARACTERS].partition(".")
    if not hmac.compare_digest(_digest(secret, drawn).encode(), digest.encode("utf-8", "replace")):
        return f"the form was made for another session than yours: {_NOTHING}"
    hours = (now - int(drawn.partition("-")[0])) / 3600
    if hours * 3600 >= SEAL_SECONDS:
        return f"the form lay open for {hours:.1f} hours, {SEAL_SECONDS // 3600} is the most: {_NOTHING}"
    return None


def _digest(secret: str, drawn: str) -> str:
    text = f"firedamp form {drawn}".encode("utf-8", "replace")
    return hmac.new(secret.encode("utf-8", "replace"), text, hashlib.sha256).hexdigest()
