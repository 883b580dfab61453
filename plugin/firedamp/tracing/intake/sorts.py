"""What is shared by many remembered spans, held as long as one of them needs it."""

from firedamp.tracing.intake.rows import Sort


class Sorts:
    """Sorts by number; a number is given again when the last span of its sort is forgotten."""

    __slots__ = ("_free", "_numbers", "_sorts", "_uses")

    def __init__(self) -> None:
        self._numbers: dict[Sort, int] = {}
        self._sorts: list[Sort | None] = []
        self._uses: list[int] = []
        self._free: list[int] = []

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, number: int) -> Sort:
        found = self._sorts[number]
        if found is None:
            raise KeyError(number)
        return found

    def used(self, sort: Sort) -> int:
        """The number of a sort, in use once more."""
        number = self._numbers.get(sort)
        if number is None:
            number = self._numbers[sort] = self._place(sort)
        self._uses[number] += 1
        return number

    def left(self, number: int) -> None:
        """It is in use once less."""
        self._uses[number] -= 1
        if not self._uses[number]:
            del self._numbers[self[number]]
            self._sorts[number] = None
            self._free.append(number)

    def _place(self, sort: Sort) -> int:
        if self._free:
            number = self._free.pop()
            self._sorts[number] = sort
            return number
        self._sorts.append(sort)
        self._uses.append(0)
        return len(self._sorts) - 1
