"""A page as its reader meets it: tags in order, text without markup, whether all that opened was closed."""

from html.parser import HTMLParser
from typing import Any

#: Elements without an end.
_VOID = {"meta", "link", "input", "br", "img", "line", "rect", "path", "circle", "polyline"}


class Reader(HTMLParser):
    """Collects a page's tags and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert tag in _VOID or self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def attributes(self, tag: str, name: str) -> list[str]:
        """What each such tag says of it, where it does."""
        return [value for one, given in self.tags if one == tag and (value := given.get(name)) is not None]
