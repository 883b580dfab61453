"""
A page of the docs, followed as a reader follows it: files written and changed, commands typed, in order.

    ```yaml   whose first line is `# name`: a file of that name
    ```diff   below `--- name`: a change of that file, by its lines
    ```sh     commands for a shell that remembers its variables and stops at the first that fails
    ```text   lines that the commands before it print; `…` stands for what differs from day to day

Other blocks are only read. What a reader would replace, addresses above all, is replaced in all of them.
"""

import asyncio
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from shipping.manifests import ROOT

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
#: So long may the commands of one block take.
PATIENCE_SECONDS = 900.0
#: Every variable is kept for the next block.
_SCRIPT = "set -euo pipefail; set -a; [ -e .variables ] && . ./.variables\n{}\nexport -p > .variables\n"


class Block(NamedTuple):
    """One of the page, by the word behind its fence."""

    kind: str
    text: str


def blocks(page: str) -> list[Block]:
    """All of a page in `docs/`, in their order."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    return [Block(*found) for found in _BLOCK.findall(text)]


def tabled(page: str) -> list[str]:
    """What stands as code at the beginning of each row of a page's tables."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    return re.findall(r"^\| `([^`]+)`", text, re.MULTILINE)


def is_in(line: str, printed: str) -> bool:
    """Whether a line was printed, in which `…` stands for anything."""
    parts = (re.escape(part) for part in line.split("…"))
    return re.search(".*".join(parts), printed) is not None


@dataclass(slots=True)
class Reader:
    """
    Who follows a page.

    Attributes:
        folder: where files are written and commands typed; the repository's own stand in it.
        environment: of the shell.
        replaced: what a reader has otherwise than the page, by what stands there.
        printed: what the last commands said.
    """

    folder: Path
    environment: Mapping[str, str]
    replaced: Mapping[str, str] = field(default_factory=dict)
    printed: str = ""

    def __post_init__(self) -> None:
        for name in ("analysis_templates", "charts"):
            (self.folder / name).symlink_to(ROOT / name)

    async def follow(self, found: Block) -> None:
        """
        Do what one block says.

        Raises:
            AssertionError: a command fails, a change does not fit, or something else is printed.
        """
        text = self._as_here(found.text)
        match found.kind:
            case "yaml" if text.startswith("# "):
                (self.folder / _name(text)).write_text(text, encoding="utf-8")
            case "diff":
                self._change(text)
            case "sh":
                self.printed = await self.typed(text)
            case "text":
                missing = [line for line in text.splitlines() if not is_in(line, self.printed)]
                assert not missing, f"{missing} not in:\n{self.printed}"

    async def typed(self, commands: str) -> str:
        """What commands print that are typed here."""
        shell = await asyncio.create_subprocess_exec(
            "bash",
            "-c",
            _SCRIPT.format(commands),
            cwd=self.folder,
            env=dict(self.environment),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            said, _ = await asyncio.wait_for(shell.communicate(), PATIENCE_SECONDS)
        finally:
            if shell.returncode is None:
                shell.kill()
        with (self.folder / "log").open("ab") as log:
            log.write(commands.encode() + said)
        assert shell.returncode == 0, f"{commands}\n{said.decode()}"
        return said.decode()

    def _as_here(self, text: str) -> str:
        for theirs, ours in self.replaced.items():
            text = text.replace(theirs, ours)
        return text

    def _change(self, text: str) -> None:
        """Replace the one place in a file where the old lines stand by the new ones."""
        lines = text.splitlines(keepends=True)
        path = self.folder / _name(text)
        old, new = ("".join(_side(lines[1:], sign)) for sign in "-+")
        before = path.read_text(encoding="utf-8")
        assert before.count(old) == 1, f"not just once in {path.name}:\n{old}"
        path.write_text(before.replace(old, new), encoding="utf-8")


def _side(lines: list[str], sign: str) -> Iterator[str]:
    """Lines of one version of a file: those of both, and its own."""
    return (line[1:] for line in lines if line[0] in f" {sign}")


def _name(text: str) -> str:
    """Of the file, behind the sign that begins a block."""
    return text.splitlines()[0].split()[1]
