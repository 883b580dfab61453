"""How time is cut, so that no search is full."""

from firedamp.sources._slicing import SECOND, SMALLEST, Pace, Slice, Sweep

PAGE = 1000


def swept(sweep: Sweep) -> list[Slice]:
    return list(iter(sweep.take, None))


def test_slices_meet_and_cover_all():
    """Both ends of a slice belong to it, so the next begins where it ends."""
    pieces = swept(Sweep(0, 5 * SECOND, Pace(2 * SECOND)))

    assert pieces == [Slice(0, 2 * SECOND), Slice(2 * SECOND, 4 * SECOND), Slice(4 * SECOND, 5 * SECOND)]


def test_no_time_has_no_slices():
    """Nothing is asked."""
    assert swept(Sweep(SECOND, SECOND, Pace())) == []


def test_a_full_slice_is_asked_again_in_halves():
    """Earlier half first, and then what was not yet asked."""
    sweep = Sweep(0, 8 * SECOND, Pace(4 * SECOND))
    piece = sweep.take()
    assert piece is not None

    assert sweep.halve(piece)
    assert swept(sweep)[:2] == [Slice(0, 2 * SECOND), Slice(2 * SECOND, 4 * SECOND)]


def test_after_a_full_slice_all_are_narrower():
    """What was too much once will be again."""
    sweep = Sweep(0, 12 * SECOND, Pace(4 * SECOND))
    piece = sweep.take()
    assert piece is not None
    sweep.halve(piece)

    assert max(piece.width for piece in swept(sweep)) == 2 * SECOND


def test_slices_do_not_get_smaller_for_ever():
    """A store that fills every page ends the search."""
    sweep = Sweep(0, SMALLEST, Pace())
    piece = sweep.take()
    assert piece is not None

    assert not sweep.halve(piece)
    assert swept(sweep) == []


def test_a_slice_that_brought_little_makes_the_next_wider():
    """Up to eight times as wide at once, for traffic swings."""
    pace = Pace(2 * SECOND)

    pace.heard(Slice(0, 2 * SECOND), traces=0, size=0, page=PAGE)

    assert pace.width == 16 * SECOND


def test_slices_are_made_to_fill_most_of_a_page():
    """A hundred a second and a page of a thousand make seven seconds."""
    pace = Pace(2 * SECOND)

    pace.heard(Slice(0, 2 * SECOND), traces=200, size=0, page=PAGE)

    assert pace.width == 7 * SECOND


def test_large_traces_make_slices_narrower():
    """Few traces can be many bytes."""
    pace = Pace(2 * SECOND)

    pace.heard(Slice(0, 2 * SECOND), traces=10, size=20_000_000, page=PAGE)

    assert pace.width == SECOND


def test_the_rest_of_a_window_teaches_nothing():
    """It was short because the window ended."""
    pace = Pace(10 * SECOND)

    pace.heard(Slice(0, SECOND), traces=0, size=0, page=PAGE)

    assert pace.width == 10 * SECOND
