"""How much was lost, by the time it is about: a window is doubted for its own losses only."""

_SLOT_SECONDS = 5.0


class Tally:
    """Counts by slots of five seconds; a window is told of every slot that it touches."""

    __slots__ = ("_slots", "total")

    def __init__(self) -> None:
        self._slots: dict[int, int] = {}
        self.total = 0

    def add(self, at: float, count: int = 1) -> None:
        """Count what happened at a time in Unix seconds."""
        slot = int(at // _SLOT_SECONDS)
        self._slots[slot] = self._slots.get(slot, 0) + count
        self.total += count

    def between(self, begin: float, end: float) -> int:
        """Count of [begin, end)."""
        first, last = begin // _SLOT_SECONDS, end / _SLOT_SECONDS
        return sum(count for slot, count in self._slots.items() if first <= slot < last)

    def forget(self, before: float) -> None:
        """Nobody will ask for what came before."""
        oldest = before // _SLOT_SECONDS
        for slot in [slot for slot in self._slots if slot < oldest]:
            del self._slots[slot]
