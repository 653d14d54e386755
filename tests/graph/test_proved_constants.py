"""Constants of the worked specs rest on no measured number, unless this page says so."""

from pathlib import Path

import numpy as np
import pytest

import boundcalc as bc
from boundcalc.arithmetic import INTERVALS, RATIONALS
from boundcalc.graph import domains
from boundcalc.operators.base import Constants, Slot
from boundcalc.operators.rounding import has_measured, upper
from boundcalc.spec.expressions import Expression, measured
from boundcalc.spec.grammar import parse
from boundcalc.spec.sections import RegionSection

SPECS = sorted((Path(__file__).parents[2] / "specs").glob("*.yaml"))

#: Spec → constants that are measured; none is.
MEASURED: dict[str, set[str]] = {}


def expressions(value):
    """Every expression in some constants."""
    if isinstance(value, Expression):
        yield value
    elif isinstance(value, tuple):
        for part in value:
            yield from expressions(part)
    elif isinstance(value, Constants | Slot):
        yield from expressions(tuple(vars(value).values()))


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_constants_of_worked_specs_are_proved(path):
    graph = bc.build(bc.load(path))
    assert not graph.sampled
    found = {
        f"{node.id}.{name}"
        for node in graph.nodes
        for name, value in vars(node.constants).items()
        if any(map(has_measured, expressions(value)))
    }
    found |= {f"merged {run.nodes}" for run in graph.merged if has_measured(run.norm)}
    assert found == MEASURED.get(path.stem, set())


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_constants_of_worked_specs_have_enclosures(path):
    graph = bc.build(bc.load(path))
    values = {name: value.evaluate(INTERVALS) for name, value in graph.spec.symbol_values.items()}
    for node in graph.nodes:
        for constant in expressions(node.constants):
            if constant.symbols <= values.keys():
                assert constant.evaluate(INTERVALS, values).finite


def test_visited_regions_stay_measured():
    outputs = np.array([[[0.5], [2.0]]])
    domain = domains.visited_domain(outputs, parse("3/2"), {})
    assert has_measured(domain.radius)
    assert has_measured(domains.settled_size(domain.radius + parse("sqrt(2)"), {}))


def test_stated_boxes_are_rounded_outwards():
    section = RegionSection(low="1/3", high="sqrt(2)*s")
    domain = domains.stated_domain(section, {"s": parse("1/7")})
    assert domain.low < parse("1/3").evaluate(RATIONALS)
    assert domain.high >= upper(parse("sqrt(2)/7"))


def test_settled_sizes_are_exact_or_rounded_up():
    third = parse("1/3").evaluate(RATIONALS)
    assert domains.settled_size(parse("1/3"), {}).evaluate(RATIONALS) == third
    root = domains.settled_size(parse("sqrt(2)"), {})
    assert root.evaluate(RATIONALS) ** 2 > 2
    assert root.node[0] == "bounded"
    long = domains.settled_size(parse("(1/3)**63*(1/3)**63*(1/3)**9"), {})
    exact = parse("(1/3)**63*(1/3)**63*(1/3)**9").evaluate(RATIONALS)
    assert exact < long.evaluate(RATIONALS) < exact * (1 + parse("1/10**15").evaluate(RATIONALS))
    assert domains.settled_size(measured(0.5), {}).node[0] == "measured"


def test_what_noise_adds_is_rounded_up():
    domain = domains.moved(domains.Domain(parse(1), -1.0, 1.0), 0.1, 3)
    tenth = parse("1/10").evaluate(RATIONALS)
    assert (domain.radius.evaluate(RATIONALS) - 1) ** 2 > 3 * tenth**2
    assert domain.high > 1 + tenth
    assert domain.low < -1 - tenth
    # 0.3 as a float is below 3/10, which is what a spec means.
    near = domains.moved(domains.Domain(parse(1), 0.0, 0.0), 0.3, 1)
    assert near.high > parse("3/10").evaluate(RATIONALS)
    assert near.high == -near.low
    assert near.high < 0.3 * (1 + 2e-12)
