"""The benchmark of pages: a tiny run fills a store, visits every page and answers as it promises."""

import json

import pages
import pytest


@pytest.mark.real
@pytest.mark.timeout(180)
def test_json_tells_each_page_with_its_times_and_sizes(tmp_path, capsys):
    """One object on standard output; what is filled is kept; bars that are missed are no failure."""
    tiny = ["--json", "--releases", "3", "--looks", "4", "--visits", "2", "--views", "30"]
    assert pages.main([*tiny, "--cache", str(tmp_path)]) == 0

    told = json.loads(capsys.readouterr().out)
    [found] = told["reports"]
    assert [file.name for file in tmp_path.glob("*.db")] == ["3x4.db"]
    assert (found["database"], found["releases"], found["looks"]) == ("sqlite", 3, 4)
    assert {"releases", "release", "services", "gates"} <= {one["page"] for one in found["figures"]}
    assert all(one["wall"]["p50"] <= one["wall"]["p95"] <= one["wall"]["most"] for one in found["figures"])
    assert all(0 < one["packed"] <= one["plain"] + 20 for one in found["figures"])
    assert sorted(map(int, found["memory"])) == [0, 6, 30]
    assert all(size > 0 for size in found["memory"].values())


def test_bars_that_are_missed_are_told():
    """By page, with what was measured and what the bar is."""
    slow = pages.Spread(200.0, 300.1, 400.0)
    figures = [pages.Figures("release", slow, slow, slow, 200_001, 900_000)]
    grown = {0: 100 * 2**20, 200: 110 * 2**20, 1000: 127 * 2**20}
    found = pages.Report(
        "sqlite", 1, 1, figures, grown, {"release": {"first": pages.Spread(1, 1001, 1)}}, (0, 0)
    )

    assert list(pages.missed(found)) == [
        "release: 300.1 ms at the server (p95), 300 ms is the bar",
        "release: 200001 bytes over the wire, 200000 is the bar",
        "release: 1001 ms until it can be used (p95), 1000 ms is the bar",
        "memory grew by 17.0 MiB, 16 MiB is the bar",
    ]


def test_markdown_is_what_the_documents_show():
    """A table of pages, then memory, load and the slowest page in a browser."""
    quick = pages.Spread(20.2, 40.4, 60.0)
    figures = [pages.Figures("release", quick, quick, quick, 18_340, 190_000)]
    seen = {"release": {"first": quick, "again": quick}}
    found = pages.Report("sqlite", 10_000, 60, figures, {0: 2**20, 1000: 2**21}, seen, (0.5, 1.0))

    assert list(pages.markdown(found)) == [
        "| SQLite, 10,000 releases | p50 | p95 | processor, p95 | over the wire |",
        "|---|--:|--:|--:|--:|",
        "| release | 20 ms | 40 ms | 40 ms | 18.3 kB |",
        "",
        "Memory of the server over page views: 1 MiB after 0, 2 MiB after 1,000. Load of the machine: 0.5.",
        "In chromium the slowest page (release) can be used after 40 ms (p95).",
    ]
