"""
What was just found of a source that does not answer.

A source that hangs costs the whole deadline. Questions of one release wait for one another, so without this
the third one would wait for two vain attempts before its own, and be out of time before it is heard.
"""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Outages:
    """Failed looks, each good for the questions of the same moment; `lasting_seconds` is a moment."""

    lasting_seconds: float
    _found: dict[int, tuple[float, str]] = field(default_factory=dict)

    def just_now(self, release_id: int, now: float) -> str:
        """Why a look of this release failed a moment ago; empty where none did."""
        at, why = self._found.get(release_id, (now, ""))
        return why if abs(now - at) < self.lasting_seconds else ""

    def saw(self, release_id: int, now: float, why: str) -> None:
        """A look asked for at this time failed; older failures are forgotten."""
        fresh = {
            one: known for one, known in self._found.items() if abs(now - known[0]) < self.lasting_seconds
        }
        self._found = fresh | {release_id: (now, why)}
