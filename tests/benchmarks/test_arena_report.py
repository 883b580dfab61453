"""What many releases come to is summed up, kept, held against gates and written down."""

import json
import re
from dataclasses import replace
from math import inf

import pytest
from arena import acceptance, gates, misses, plans, report, run, tables, validity
from arena.cells import Cell, Fault, Kind, Onset
from arena.figures import Course, figure
from arena.noise import BURSTS, PODS
from arena.run import METHODS, Played

WELL, ILL = Cell(PODS), Cell(PODS, fault=Fault(Kind.ERRORS, 5.0))
LATE = replace(ILL, onset=Onset.MINUTE_20)


def courses(*stops, served=10):
    return [Course(stop, served, stop is None, None) for stop in stops]


def table(stops=None):
    """Figures of two cells; by method how many of a hundred healthy ones it rolls back, and ×5 when."""
    told = {"firedamp": (0, 12), **(stops or {})}
    result = {str(WELL): {}, str(ILL): {}}
    for method in METHODS:
        wrong, block = told.get(method, (100, 1))
        well = courses(*[5] * wrong, *[None] * (100 - wrong))
        result[str(WELL)][method] = figure(WELL, method, well)
        result[str(ILL)][method] = figure(ILL, method, courses(*[block - 1] * 100, served=block))
    return result


def test_blocks_are_counted_from_the_onset():
    """A stop in the block in which the fault begins is a stop after one block."""
    assert figure(LATE, "firedamp", courses(40, 42, 44)).median_block == 3


def test_a_stop_before_the_fault_is_a_false_one():
    """It counts as such, and not as power."""
    found = figure(LATE, "firedamp", courses(39, 45, None, None))

    assert found.false_rollback == 25.0
    assert found.power == pytest.approx(100 / 3, abs=0.01)


def test_what_is_not_found_in_half_has_no_median():
    """Releases that are never stopped count as stopped after everything else."""
    assert figure(ILL, "firedamp", courses(5, None, None)).median_block is None
    assert figure(ILL, "firedamp", courses(5, 6, None)).median_block == 7


def test_nothing_found_in_few_is_not_certain():
    """The standard error of a rate of zero is not zero."""
    assert figure(WELL, "firedamp", courses(*[None] * 20)).error > 0


def test_a_peer_passes_what_it_does_not_stop():
    """Of four harmful releases one is not stopped within the hour."""
    assert figure(ILL, "Kayenta", courses(9, 9, 9, None)).wrong_pass == 25.0


def test_two_in_a_hundred_are_within_alpha():
    """Holm rejects "at most 2 %" for ten in a hundred, not for four, however many cells there are."""
    figures = [
        figure(Cell(PODS, n), "x", courses(*[1] * k, *[None] * (100 - k))) for n, k in ((1e3, 4), (1e4, 10))
    ]

    assert validity.rejected(figures) == {"pods, 10k, healthy"}


def test_a_faulty_cell_has_the_peers_that_are_valid_in_its_noise():
    """Who rolls back every healthy release is no match, however fast."""
    played = table({"Kayenta": (1, 10), "naive Fisher": (100, 2)})

    assert validity.valid_methods(ILL, played) == {"Kayenta"}
    assert validity.fastest(ILL, played) == (10, "Kayenta")


def test_an_unplayed_faulty_cell_borrows_from_the_most_alike():
    """Without a healthy cell of its own traffic, the one of 10k requests speaks for the noise."""
    played = table()

    assert validity.healthy_like(replace(ILL, requests=1e5), played) == str(WELL)
    assert validity.healthy_like(replace(ILL, noise=BURSTS), played) is None


def test_falling_behind_is_said():
    """Two blocks behind the fastest valid peer are allowed where there are errors enough, not four."""
    assert not misses.sentences(table({"e-process": (0, 10)}))
    assert misses.sentences(table({"e-process": (0, 8)})) == [f"{ILL}: stopped at block 12, e-process at 8."]


def test_serving_more_than_who_judges_late_is_said():
    """Fewer failing requests than Kayenta are wanted, where it is valid."""
    assert misses.sentences(table({"Kayenta": (0, 11)})) == [
        f"{ILL}: 12 failing requests until the stop, Kayenta 11."
    ]


def test_gates_name_what_broke():
    """Too many false rollbacks are one sentence, with the cell and the count."""
    said = list(gates.broken([WELL, ILL], table({"firedamp": (30, 5)})))

    assert said == [f"{WELL}: 30 of 100 rolled back, 2 % are promised (p = 8e-27)"]


def test_gates_hold_where_alpha_does():
    """No false rollback, everything found, nothing passed."""
    assert not list(gates.broken([WELL, ILL], table()))


def test_every_cell_is_played_once_and_by_its_name():
    """Names tell cells apart, since dice and results go by them."""
    names = [str(plan.cell) for plan in plans.full()]

    assert len(names) == len(set(names)) > 100
    assert {str(one.cell) for one in acceptance.LINES} <= set(names)


def test_what_is_finished_is_found_again(tmp_path):
    """A kept cell is known by seed, number of releases and engine."""
    one = Played(str(WELL), 20, "1", run.engine(), 0.5, (figure(WELL, "firedamp", courses(None, None)),))
    run.keep(tmp_path / "kept.jsonl", one)
    before = run.kept(tmp_path / "kept.jsonl")

    assert before == [one]
    assert run.known_of(before, WELL, 20, 2) == one
    assert run.known_of(before, WELL, 21, 2) is None
    assert run.known_of(before, WELL, 20, 3) is None
    assert run.known_of([replace(one, engine="older")], WELL, 20, 2) is None


def test_the_page_has_tables_and_plots_of_what_was_played(tmp_path):
    """Every cell that was played stands in it, and the plots it shows are there."""
    played = {
        cell: Played(cell, 20, "1.2.3", "abc", 0.5, tuple(row.values()))
        for cell, row in table({"Kayenta": (0, 10)}).items()
    }
    report.write(tmp_path, played)
    page = (tmp_path / "README.md").read_text(encoding="utf-8")

    assert f"|{WELL}|0|**100**|" in page
    assert "100 / 12" in page
    assert "firedamp version 1.2.3, engine abc, seed 20; 2 of" in page
    for picture in re.findall(r'(?:src|srcset)="([^"]+)"', page):
        assert (tmp_path / picture).read_text(encoding="utf-8").startswith("<?xml")


def test_numbers_are_short():
    """Three digits at most, a dash for none."""
    assert [tables.number(value) for value in (None, 0.0, 1.234, 12.34, 123.4)] == [
        "–",
        "0",
        "1.23",
        "12.3",
        "123",
    ]


def test_an_endless_fault_has_a_name():
    """All failing is what an infinite rise of errors is called."""
    assert str(Cell(fault=Fault(Kind.ERRORS, inf))) == "none, 10k, all failing"
    assert json.dumps(str(LATE), ensure_ascii=False) == '"pods, 10k, errors ×5 from minute 20"'
