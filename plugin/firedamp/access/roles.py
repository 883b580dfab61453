"""
What a role may do: one lattice, for people and for programs.

    role         of       reads  asks for verdicts  rules, labels, gates  tunes  all else
    viewer       people   yes
    ruler        people   yes                       yes
    tuner        people   yes                       yes                   yes
    asker        programs yes    yes
    gatekeeper   programs yes    yes                yes
    admin        both     yes    yes                yes                   yes    yes

A role includes another where it has all of that one's rights; so a gatekeeper includes a ruler, and neither
an asker nor a ruler includes the other.
"""

from firedamp.errors import ForbiddenError
from firedamp.ports import Token

_READ, _ASK, _RULE, _TUNE, _ADMINISTER = "read", "ask", "rule", "tune", "administer"
_RIGHTS = {
    "viewer": frozenset({_READ}),
    "ruler": frozenset({_READ, _RULE}),
    "tuner": frozenset({_READ, _RULE, _TUNE}),
    "asker": frozenset({_READ, _ASK}),
    "gatekeeper": frozenset({_READ, _ASK, _RULE}),
    "admin": frozenset({_READ, _ASK, _RULE, _TUNE, _ADMINISTER}),
}

#: Every role there is, those of people first.
ROLES = tuple(_RIGHTS)
#: Roles that a path secret may have: only programs send one.
PROGRAMS = ("asker", "gatekeeper", "admin")
#: Roles that a person may be given by the groups a proxy tells of.
PEOPLE = ("viewer", "ruler", "tuner", "admin")


def may(token: Token, role: str) -> bool:
    """Whether a token's role includes this one; a role nobody knows is none."""
    return _RIGHTS[role] <= _RIGHTS.get(token.role, frozenset())


def included(token: Token) -> frozenset[str]:
    """All roles that a token's role includes, its own among them."""
    return frozenset(role for role in ROLES if may(token, role))


def permitted(token: Token, role: str, namespace: str | None = None) -> None:
    """
    Let the token through, or say which one is needed.

    Raises:
        ForbiddenError: its role does not include this one, or it is bound to other namespaces.
    """
    if not may(token, role):
        others = " or ".join(one for one in ROLES if one != role and _RIGHTS[role] <= _RIGHTS[one])
        also = f" ({others} will do)" if others else ""
        raise ForbiddenError(
            f"token {token.name!r} is {token.role!r}; this needs a token with role {role!r}{also}: "
            "use one, or ask an administrator for it"
        )
    if namespace is not None and token.namespaces and namespace not in token.namespaces:
        bound = ", ".join(token.namespaces)
        raise ForbiddenError(
            f"token {token.name!r} is bound to {bound}; use one that is good for namespace {namespace!r}"
        )
