"""The speed benchmark: a tiny run answers in the shape that is promised."""

import json

import speed


def test_json_tells_every_figure_with_its_spread_and_limit(capsys):
    """One object on standard output; limits are those of the look, the release's weight and backtests."""
    assert speed.main(["--json", "--rounds", "1", "--judgements", "600", "--checks", "1"]) == 0

    told = json.loads(capsys.readouterr().out)
    assert {"python", "numpy", "scipy", "firedamp", "rounds", "figures", "fetching"} <= set(told)
    assert {"ms", "times", "KB", "s", "µs"} == {figure["unit"] for figure in told["figures"]}
    for figure in told["figures"]:
        assert 0 < figure["low"] <= figure["median"] <= figure["high"]
        assert figure["met"] is (figure["limit"] is None or figure["median"] <= figure["limit"])


def test_previews_are_measured_where_asked_for(capsys):
    """How many releases a second are judged again, by what was changed."""
    quick = ["--rounds", "1", "--judgements", "600", "--checks", "1"]
    assert speed.main(["--json", *quick, "--previews", "2"]) == 0

    named = {figure["name"]: figure for figure in json.loads(capsys.readouterr().out)["figures"]}
    assert named["preview of 2 releases of 1 checks, a tolerance"]["median"] > 0
    assert named["preview of 2 releases of 1 checks, alpha, per second"]["median"] > 0
