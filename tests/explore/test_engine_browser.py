"""The engine in Chromium against the ordinary calculation in Python."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any

import browser_tools
import pytest
from engine_specs import SHIPPED, TEXTS
from engine_tools import agree, disagreements, exported_graph, in_float64, made, random_settings

import boundcalc as bc
from boundcalc.explore.script import engine_text, programs_text

browser = browser_tools.browser

NAMES = (*SHIPPED, *TEXTS)
#: Specs that take seconds to build at every depth, or add little.
MORE = ("resnet-blocks", "fine-tuning", "mlp-mnist-like", "lqc")


class Engines:
    """Engines in one page, by name."""

    def __init__(self, page: Any) -> None:
        self.page = page
        page.add_script_tag(content=engine_text() + "\nwindow.engines = {};")
        self._known: set[str] = set()

    def __call__(self, name: str, expression: str, argument: Any = None) -> Any:
        """A JavaScript expression in ``engine``, ``model`` and ``argument``."""
        if name not in self._known:
            self._known.add(name)
            key, model = json.dumps(name), json.dumps(made(name).model)
            text = programs_text(made(name).programs)
            self.page.add_script_tag(
                content=f"(() => {{{text}const model = {model};"
                f"const engine = boundcalcEngine(model, boundcalcPrograms);"
                f"engines[{key}] = {{engine, model}};}})()"
            )
        code = f"const {{engine, model}} = engines[name]; return {expression};"
        return self.page.evaluate(f"([name, argument]) => {{{code}}}", [name, argument])


@pytest.fixture(scope="module")
def engines(browser: Any) -> Iterator[Engines]:
    page = browser.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield Engines(page)
    page.close()
    assert errors == []


EVERYTHING = """argument.map((given) => {
  const {settings} = engine.checked(given);
  return {settings, result: engine.evaluate(settings), spec: engine.exported(settings)};
})"""


def check(engines: Engines, name: str, seed: int, count: int) -> None:
    rows = engines(name, EVERYTHING, random_settings(name, seed, count))
    wrong = [text for row in rows for text in disagreements(name, row)]
    assert wrong == []


@pytest.mark.parametrize("name", NAMES)
def test_page_and_python_agree(engines, name):
    check(engines, name, seed=1, count=4)


@pytest.mark.long
@pytest.mark.parametrize("name", NAMES + MORE)
def test_page_and_python_agree_on_a_thousand_settings(engines, name):
    check(engines, name, seed=2, count=math.ceil(1000 / len(NAMES + MORE)))


@pytest.mark.parametrize("name", ["listed steps", "two schedules", "shared draws"])
def test_page_and_python_agree_where_a_step_contracts_by_more_than_half(engines, name):
    given = [{"pl": 0.95, "step_size": 0.9, "horizon": float(T)} for T in (1, 2, 9, 41)]
    rows = engines(name, EVERYTHING, given)
    assert [text for row in rows for text in disagreements(name, row)] == []
    assert all(row["result"]["pl"]["sharp"]["bound"] is not None for row in rows)


def test_what_the_ordinary_commands_say_at_the_best_step(engines):
    for name in ("logistic-strongly-convex", "listed steps", "unrolled-gd"):
        settings, result, spec = engines(
            name,
            "(() => {const s = engine.checked(argument).settings;"
            " return [s, engine.evaluate(s), engine.exported(s)];})()",
            random_settings(name, 5, 2)[1] | {"horizon": 500, "step_size": 1e-3},
        )
        del settings
        rates = bc.rates(exported_graph(name, spec))
        for regime, found in (("nonconvex", rates.nonconvex), ("pl", rates.pl)):
            for family, rate in found.items():
                page = result[regime][family]
                assert agree(page["limit"], in_float64(rate.step_size_limit))
                if rate.best_step is None:
                    assert page["best_step"] is None
                    continue
                assert agree(page["best_bound"], in_float64(rate.best_step[1]))
                # Around its minimum the bound is flat: a PL step is known to half the digits.
                digits = 1e-9 if regime == "nonconvex" else 1e-5
                assert math.isclose(page["best_step"], float(rate.best_step[0]), rel_tol=digits)


@pytest.mark.parametrize("name", ["deep-uniform", "symbols in constants", "repeated", "kinks"])
def test_coefficients_of_the_profile(engines, name):
    for given in random_settings(name, 7, 3):
        row = engines(name, EVERYTHING, [{**given, "symbol:m": 1e-3}])[0]
        graph = exported_graph(name, row["spec"])
        for family, found in row["result"]["families"].items():
            columns = bc.coefficients(graph, family)
            for column, values in found["profile"].items():
                expected: list[float | None] = [None] * graph.size
                numbers = columns.columns[column]
                for site, number in zip(columns.sites(column), numbers, strict=True):
                    v = graph.operator_of(site) - 1
                    value = in_float64(number)
                    if expected[v] is None or (value is not None and value > expected[v]):
                        expected[v] = value
                assert len(values) == graph.size
                assert all(map(agree, values, expected)), (family, column)


@pytest.mark.parametrize("name", ["logistic-strongly-convex", "two schedules", "three-operators"])
def test_curves_pass_through_what_evaluate_says(engines, name):
    for given in random_settings(name, 11, 3):
        found = engines(
            name,
            """(() => {
              const s = engine.checked(argument).settings;
              const at = (change) => engine.evaluate({...s, ...change});
              const Ts = [1, 7, 40, 900], ks = [0, 1, 5], times = [0.1, 1, 3];
              const gammas = [s.step_size / 7, s.step_size, s.step_size * 2];
              const levels = (f, b) => at({...("forward" in s ? {forward: s.forward * f} : {}),
                ...("backward" in s ? {backward: s.backward * b} : {})});
              const regimes = at({}).pl === null ? ["nonconvex"] : ["nonconvex", "pl"];
              return regimes.flatMap((regime) => model.families.map((family) => {
                const bound = (result) => result[regime][family].bound;
                return [
                  [engine.horizon(s, Ts)[regime][family],
                   Ts.map((horizon) => bound(at({horizon})))],
                  [engine.steps(s, gammas)[regime][family].bound,
                   gammas.map((step_size) => bound(at({step_size})))],
                  [engine.bits(s, ks)[regime][family],
                   ks.map((k) => bound(levels(2 ** -k, 2 ** -k)))],
                  ...times.map((b, row) => [engine.map(s, times, times, regime, family)[row],
                    times.map((f) => bound(levels(f, b)))]),
                ];
              }));
            })()""",
            given,
        )
        for pairs in found:
            for curve, expected in pairs:
                assert all(agree(x, y) for x, y in zip(curve, expected, strict=True)), given


@pytest.mark.parametrize("name", ["logistic-strongly-convex", "listed steps", "three-operators"])
def test_the_plateau_is_where_the_bound_ends(engines, name):
    plateau, long = engines(
        name,
        """(() => {
          const s = {...engine.defaults(), step_size: engine.defaults().step_size / 4};
          const regimes = engine.evaluate(s).pl === null ? ["nonconvex"] : ["nonconvex", "pl"];
          const of = (at) => regimes.flatMap((regime) => model.families.map((f) => at(regime, f)));
          // A horizon just after a step at which the schedule of every tenth step acts.
          return [of((regime, f) => engine.steps(s, [s.step_size])[regime][f].plateau[0]),
                  of((regime, f) => engine.horizon(s, [1e12 + 1])[regime][f][0])];
        })()""",
    )
    # Without noise and with a few perturbed steps nothing stays: the plateau is 0.
    assert (min(plateau) == 0) == (name == "listed steps")
    for x, y in zip(plateau, long, strict=True):
        # A PL bound without a plateau falls below float64's range.
        assert math.isclose(x, y, rel_tol=1e-6) if x else y is None or 0 < y < 1e-9


GARBAGE: list[Any] = [
    None,
    "text",
    17,
    [],
    {"__proto__": 3, "constructor": 2, "toString": 1, "forward": "5"},
    {"forward": None, "horizon": [], "batch": {}, "nothing": 1},
    {"forward": 1e308, "horizon": -5, "batch": 0, "step_size": 0, "depth": 3.7},
    {"forward": -1, "horizon": 2.5, "batch": 1e30, "gradient_noise": -1},
]


@pytest.mark.parametrize("name", ["deep-uniform", "three-operators", "repeated"])
def test_garbage_becomes_settings_in_range(engines, name):
    for given in GARBAGE:
        found, dropped = engines(
            name,
            "(() => {const c = engine.checked(argument); engine.evaluate(c.settings);"
            " JSON.parse(engine.exported(c.settings)); return [c.settings, c.dropped];})()",
            given,
        )
        assert given is None or not isinstance(given, dict) or dropped
        for control in made(name).model["controls"]:
            value = found[control["key"]]
            assert control["min"] <= value <= control["max"]
            if "choices" in control:
                assert value in control["choices"]
            if control["scale"] == "integer":
                assert value == int(value)


def test_numbers_that_are_none_are_dropped(engines):
    settings, dropped = engines(
        "three-operators",
        "(() => {const c = engine.checked({forward: NaN, backward: Infinity, horizon: -Infinity});"
        " return [c.settings, c.dropped];})()",
    )
    assert sorted(dropped) == ["backward", "forward", "horizon"]
    assert settings == engines("three-operators", "engine.defaults()")


def test_a_step_at_the_limit_is_covered_and_one_above_is_not(engines):
    # loss.smoothness 3 and step size 1/9: the published limit 1/(3L) exactly.
    at, above = engines(
        "no fourth moment",
        "[0, 1e-16].map((more) => engine.evaluate({...engine.defaults(),"
        " step_size: engine.defaults().step_size * (1 + 2 * more)}).nonconvex)",
    )
    assert "fourth" in at["published"]["refused"]
    assert "above the limit 1/(3L)" in above["published"]["refused"]
    assert at["sharp"]["bound"] is not None


def test_an_objective_that_is_none_has_no_numbers(engines):
    result, curves, cells = engines(
        "listed steps",
        "(() => {const s = engine.checked({pl: 7}).settings; return [engine.evaluate(s),"
        " engine.steps(s, [1e-3]), engine.map(s, [0.5, 1], [1], 'nonconvex', 'sharp')];})()",
    )
    for regime in ("nonconvex", "pl"):
        for family, rate in result[regime].items():
            assert rate["refused"] == "the PL constant is larger than the smoothness"
            assert [rate[k] for k in ("bound", "limit", "best_step", "best_bound")] == [None] * 4
            assert curves[regime][family] == {"bound": [None], "plateau": [None]}
    assert cells == [[None, None]]
    assert result["families"]["sharp"]["error"] is not None


def test_no_level_above_the_cap_has_a_number(engines):
    cells, curve = engines(
        "reach",
        "(() => {const s = {...engine.defaults(), forward: 0.5};"
        " return [engine.map(s, [1, 1.9, 2, 2.1, 100], [1, 100], 'nonconvex', 'sharp'),"
        " engine.bits(s, [-2, -1, 0, 1]).nonconvex.sharp];})()",
    )
    for row in cells:
        assert [value is None for value in row] == [False, False, False, True, True]
    assert [value is None for value in curve] == [True, False, False, False]
    settings, dropped = engines(
        "reach",
        "(() => {const c = engine.checked({forward: 3, 'site:0:f1': 3});"
        " return [c.settings, c.dropped];})()",
    )
    assert settings["forward"] == settings["site:0:f1"] == 1
    assert sorted(dropped) == ["forward", "site:0:f1"]


def test_a_refusal_does_not_contradict_itself(engines):
    for step in (1 / 9 + 1e-16, 0.11111112, 0.1111112, 0.12, 3.0):
        text = engines(
            "no fourth moment",
            "engine.evaluate({...engine.defaults(), step_size: argument})"
            ".nonconvex.published.refused",
            step,
        )
        numbers = [float(x) for x in re.findall(r"\d\.[\d.e-]*\d|(?<= )3(?= is)", text)]
        if len(numbers) == 2:
            assert numbers[0] > numbers[1], text
        else:
            assert "in its last digit" in text


def test_what_leaves_float64_is_no_number(engines):
    for given in ({"constants:jac": 4.0, "forward": 1e3}, {"constants:jac": 0.25}):
        result = engines(
            "deep-uniform", "engine.evaluate(engine.checked(argument).settings)", given
        )
        text = json.dumps(result)
        assert "Infinity" not in text
        assert "NaN" not in text
