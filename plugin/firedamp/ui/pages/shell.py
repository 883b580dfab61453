"""What every page has: its title, the way around, who looks at it; and the small values that many show."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the site; drawn for those whose role includes this one, or for all where there is none."""

    name: str
    link: str
    role: str = ""


#: The way around, in the order in which it is drawn. A page that is not there yet is not in it.
SECTIONS: tuple[Section, ...] = (
    Section("Releases", "/"),
    Section("Services", "/services"),
    Section("Gates", "/gates"),
    Section("Audit", "/audit"),
    Section("Tokens", "/tokens", "admin"),
    Section("Health", "/health"),
)


@dataclass(frozen=True, slots=True)
class Link:
    """A way to somewhere; `here` where one is already."""

    name: str
    link: str
    here: bool = False


@dataclass(frozen=True, slots=True)
class Shell:
    """
    What stands around the content of a page.

    Attributes:
        title: of the document, before the name of the program.
        nav: the parts of the site that are open to whoever looks.
        who, role: who is logged in, as what; nobody where no token is asked for.
        twin: address of the same as JSON; "" where there is none.
        csrf: what every form sends along, so that it can only come from a page of ours.
    """

    title: str
    nav: tuple[Link, ...] = ()
    who: str = ""
    role: str = ""
    twin: str = ""
    csrf: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """A state as a word with a sign; `name` is the stylesheet's class."""

    name: str
    sign: str
    word: str


@dataclass(frozen=True, slots=True)
class Instant:
    """A time for people (`ago`) and for machines (`iso`)."""

    iso: str
    clock: str
    ago: str


@dataclass(frozen=True, slots=True)
class Login:
    """What the login says, and where it leads."""

    shell: Shell
    message: str
    then: str


@dataclass(frozen=True, slots=True)
class Unsent:
    """
    A form that changed nothing since its session or its seal was over, to be sent again.

    Attributes:
        action: where it goes.
        sent: its fields, but for the seal; `shown` are those that say anything.
        login: whether nobody is logged in.
    """

    shell: Shell
    status: int
    sentence: str
    action: str
    sent: tuple[tuple[str, str], ...]
    login: bool

    @property
    def shown(self) -> tuple[tuple[str, str], ...]:
        """What people look at before they send it."""
        return tuple((name, text) for name, text in self.sent if text)


@dataclass(frozen=True, slots=True)
class Trouble:
    """What went wrong."""

    shell: Shell
    status: int
    sentence: str
