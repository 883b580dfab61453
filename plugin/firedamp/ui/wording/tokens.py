"""Tokens in words."""

from collections.abc import Collection, Mapping, Sequence

from firedamp.ports import Token
from firedamp.ui.forms import Entry
from firedamp.ui.pages.gates import Choice
from firedamp.ui.pages.shell import Mark, Shell
from firedamp.ui.pages.tokens import Leaving, Made, Said, TokenRow, Tokens
from firedamp.ui.wording.times import instant

#: What each role may, as the form offers them.
ROLES: Mapping[str, str] = {
    "viewer": "viewer: a person who looks",
    "ruler": "ruler: also rules, labels, throws gates",
    "tuner": "tuner: also tunes checks",
    "asker": "asker: a program that asks for verdicts",
    "gatekeeper": "gatekeeper: a program that also throws gates",
    "admin": "admin: everything",
}
KINDS: Mapping[str, str] = {"no": "bearer token, or for logging in", "yes": "secret in a path, for Flagger"}
_FORCE, _OVER = Mark("pass", "✓", "in force"), Mark("open", "–", "revoked")


def page(
    shell: Shell,
    known: Sequence[Token],
    said: Said,
    *,
    now: float,
    form: Mapping[str, Entry] | None,
    mounted: Collection[str] = (),
) -> Tokens:
    """The whole page: those in force first, the newest at the top; `mounted` are the names of files."""
    ordered = sorted(known, key=lambda token: (token.revoked is not None, -token.created, token.name))
    acts = form is not None
    return Tokens(
        shell=shell,
        rows=tuple(_row(token, now, acts=acts, mounted=token.name in mounted) for token in ordered),
        form=form,
        roles=_choices(ROLES, form, "role"),
        kinds=_choices(KINDS, form, "path"),
        said=said,
    )


#: What was just done, by the word that the address has for it.
DONE: Mapping[str, str] = {
    "revoked": "Revoked. Every replica knows within 10 seconds; its sessions are over."
}


def _choices(offered: Mapping[str, str], form: Mapping[str, Entry] | None, name: str) -> tuple[Choice, ...]:
    chosen = form[name].value if form is not None else ""
    return tuple(Choice(value, label, value == chosen) for value, label in offered.items())


def _row(token: Token, now: float, *, acts: bool, mounted: bool) -> TokenRow:
    return TokenRow(
        name=token.name,
        mark=_FORCE if token.revoked is None else _OVER,
        role=token.role,
        kind="path" if token.path else "bearer",
        where=", ".join(token.namespaces) or "all namespaces",
        made=None if mounted else instant(token.created, now),
        revocable=acts and not mounted and token.revoked is None,
    )


def made(token: Token, secret: str) -> Made:
    """What is done with a new secret."""
    use = (
        "It is a segment of the path of Flagger's hooks: /flagger/v1/SECRET/rollout."
        if token.path
        else "Programs send it as Authorization: Bearer; people log in with it."
    )
    return Made(token.name, secret, use)


def leaving(token: Token, by: Token) -> Leaving:
    """What happens to whoever uses a token that is revoked."""
    own = " It is the one that you are logged in with: you are led to the login." if token == by else ""
    sentence = (
        f"Whoever uses {token.name} ({token.role}) is refused within 10 seconds, and its sessions end. "
        f"This cannot be undone, and the name is not used again.{own}"
    )
    return Leaving(token.name, sentence)
