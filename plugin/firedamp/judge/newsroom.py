"""
Which turns of a release are news, and telling them in the background.

News is what the question for promotion would be answered, where the answer turns: to fail, to pass, or to
undecided for good, when no further judgement is to come. Whoever takes the look that turns it tells it. A
replica cannot know whether another one told of a release that stays undecided; the herald counts what it is
told twice.
"""

from collections import OrderedDict

from firedamp import telemetry
from firedamp.decision import policy
from firedamp.judge.background import Background
from firedamp.model import Controller, Mode, Outcome, Question, Release, Verdict
from firedamp.ports import Herald, News, Turn

#: Those who have an object that people look at.
ROLLING = frozenset({Controller.ARGO, Controller.FLAGGER})
_TURNS = {Outcome.FAIL: Turn.FAILED, Outcome.PASS: Turn.PASSED}
#: So many releases are remembered.
_REMEMBERED = 1000
#: So much is told at once, each for so long; where so much waits, nothing more is begun.
_AT_ONCE, _PATIENCE_SECONDS, _MOST = 4, 30.0, 200


class Newsroom:
    """Tells a herald, where there is one."""

    def __init__(self, herald: Herald | None) -> None:
        self._herald = herald
        self._background = Background(
            telemetry.Work.EVENTS, at_once=_AT_ONCE, patience_seconds=_PATIENCE_SECONDS
        )
        #: Last block looked at, and the turn it stood at, by release.
        self._stood: OrderedDict[int, tuple[int, Turn | None]] = OrderedDict()

    def judged(self, before: Release, case: policy.Case) -> None:
        """
        Tell it where this look turned a release.

        Args:
            before: the release as it was stored before the look.
            case: what a question was answered by.
        """
        look, release = case.look, case.release
        silent = case.mode is Mode.OFF or release.ended is not None or release.controller not in ROLLING
        if self._herald is None or look is None or silent:
            return
        block = look.evidence.block.index
        seen, stood = self._stood.get(release.id, (None, None))
        if block == seen:
            return
        answer = policy.answer(_asked_for_all(case))
        turn = _turn(answer)
        self._remember(release, block, turn)
        # What was stored before was told by whoever took that look.
        if turn is not None and turn not in (stood, _TURNS.get(before.verdict)):
            # A person's order is heeded in shadow mode too.
            mode = answer.mode if case.ordered else case.mode
            self._tell(News(release, turn, answer.sentence, case.at, mode))

    def ended(self, release: Release, now: float) -> None:
        """Tell how a release ended."""
        self._stood.pop(release.id, None)
        if self._herald is not None and release.controller in ROLLING:
            self._tell(News(release, Turn.ENDED, release.outcome or "", now))

    async def settled(self) -> None:
        """What was begun is told, or given up."""
        await self._background.settled()

    async def close(self) -> None:
        """Give up what is not told yet."""
        await self._background.close()

    def _remember(self, release: Release, block: int, turn: Turn | None) -> None:
        self._stood[release.id] = block, turn
        self._stood.move_to_end(release.id)
        while len(self._stood) > _REMEMBERED:
            self._stood.popitem(last=False)

    def _tell(self, news: News) -> None:
        herald = self._herald
        if herald is None or self._background.begun >= _MOST:
            telemetry.CLUSTER_EVENTS.labels("left_out").inc()
            return
        self._background.begin(f"{news.release.key} {news.turn}", lambda: herald.tell(news))


def _asked_for_all(case: policy.Case) -> policy.Case:
    """The question for promotion by the same look, whatever was asked and whoever holds the service."""
    return policy.Case(
        Question.PROMOTE,
        case.release,
        case.parameters,
        case.look,
        Mode.JUDGE,
        rulings=case.rulings,
        ordered=case.ordered,
    )


def _turn(answer: Verdict) -> Turn | None:
    if answer.outcome is Outcome.INCONCLUSIVE:
        return Turn.UNDECIDED if answer.expected is None else None
    return _TURNS[answer.outcome]
