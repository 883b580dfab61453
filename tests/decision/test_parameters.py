"""Parameters are stored with a release and read back exactly."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firedamp.decision.parameters import Parameters, from_json, to_json
from firedamp.model import Resort, Tier

_SHARES = st.floats(0.001, 0.2)
_NAMES = st.from_regex(r"[a-z0-9]([a-z0-9._-]{0,10}[a-z0-9])?", fullmatch=True)
_METRICS = st.from_regex(r"[a-z_]{1,10}(\{[a-z]{1,5}=~?\"[a-z0-9.]{0,8}\"\})?", fullmatch=True)
_QUERIES = _METRICS.map(lambda name: f"sum({name.split('{')[0]}{{$cohort}}[$window])")
_COMMON = {"tier": st.sampled_from(list(Tier)), "weight": st.floats(0.1, 100)}
_KINDS = [
    st.fixed_dictionaries(
        {"kind": st.just("proportion"), "events": _METRICS, "total": _METRICS, **_COMMON},
        optional={
            "harm": st.sampled_from(["more", "fewer"]),
            "noun": st.text("abc é", min_size=1, max_size=9),
        },
    ),
    st.fixed_dictionaries(
        {"kind": st.just("distribution"), "histogram": _METRICS, **_COMMON}, optional={"tolerance": _SHARES}
    ),
    st.fixed_dictionaries(
        {"kind": st.just("relative"), "query": _QUERIES, "max_decrease": _SHARES, **_COMMON}
    ),
    st.fixed_dictionaries(
        {"kind": st.just("trend"), "query": _QUERIES, **_COMMON}, optional={"tolerance": _SHARES}
    ),
    st.fixed_dictionaries(
        {"kind": st.just("threshold"), "query": _QUERIES, "min": st.floats(-1e6, 0), **_COMMON},
        optional={"max": st.floats(0, 1e6), "sustained": st.integers(1, 9)},
    ),
]
_CHECKS = st.dictionaries(_NAMES, st.one_of(_KINDS), max_size=4).map(
    lambda found: [{"name": name, **check} for name, check in found.items()]
)
_COHORTS = st.one_of(
    st.fixed_dictionaries({"preset": st.sampled_from(["argo", "argo-experiment", "flagger"])}),
    st.fixed_dictionaries(
        {
            "preset": st.sampled_from(["istio", "labels"]),
            "canary": st.just('version="$canary"'),
            "main": st.just('version!~"$canary",app="ü\\"x"'),
        }
    ),
)
_PARAMETERS = st.builds(
    Parameters.model_validate,
    st.fixed_dictionaries(
        {
            "cohorts": _COHORTS,
            "window": st.fixed_dictionaries(
                {
                    "look": st.floats(1, 60),
                    "promote_after": st.floats(121, 3600),
                    "warm_up": st.floats(0, 120),
                }
            ),
            "checks": _CHECKS,
            "policy": st.fixed_dictionaries({"no_data": st.sampled_from([one.value for one in Resort])}),
            "alpha": _SHARES,
            "ceiling": _SHARES,
        }
    ),
)


@given(_PARAMETERS)
def test_what_is_written_is_read_back(parameters):
    """JSON and back gives the same parameters, and the same bytes once more."""
    text = to_json(parameters)

    assert from_json(text) == parameters
    assert to_json(from_json(text)) == text


@given(_PARAMETERS)
def test_the_json_is_canonical(parameters):
    """Strict JSON with sorted keys and no blanks: equal parameters are equal bytes."""
    text = to_json(parameters)
    plain = json.loads(text, parse_constant=pytest.fail)

    assert text == json.dumps(plain, sort_keys=True, separators=(",", ":"))


@given(_PARAMETERS)
def test_each_tier_spends_its_alpha_and_no_more(parameters):
    """The shares of a tier's checks add up to what the tier may spend."""
    for tier in {check.tier for check in parameters.checks}:
        spent = sum(parameters.alpha_of(check) for check in parameters.checks if check.tier is tier)

        assert spent == pytest.approx(parameters.alpha if tier is Tier.CRITICAL else parameters.alpha_warn)


def test_the_deadline_is_twice_the_window_unless_told():
    """decide_by defaults to twice promote_after."""
    assert Parameters.model_validate({"window": {"promote_after": "20m"}}).window.deadline_seconds == 2400
    assert Parameters.model_validate({"window": {"decide_by": "45m"}}).window.deadline_seconds == 2700


def test_another_version_s_parameters_are_refused():
    """A key that this version does not know is an error, not a silent loss."""
    with pytest.raises(ValueError, match="ceilling"):
        from_json('{"ceilling": 0.2}')
