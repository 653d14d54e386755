"""Every public result shows itself, and shows the numbers that it has."""

import json
import math
import re
import shutil
import subprocess
from fractions import Fraction
from html.parser import HTMLParser

import numpy as np
import pytest

import boundcalc as bc
from boundcalc.arithmetic import WIDE, Number, Status
from boundcalc.errata.display import EvidenceTable
from boundcalc.errors import UnsupportedError
from boundcalc.explain import explain
from boundcalc.report import display
from boundcalc.report.budget_results import budget_results
from boundcalc.report.results import compile_results, rate_results
from boundcalc.report.simulation_results import simulate_results, verify_results
from boundcalc.resources import example
from boundcalc.showing import Gridded, Plotted, Shown, Tabular
from boundcalc.theories.ask import ask

pandas = pytest.importorskip("pandas")
xarray = pytest.importorskip("xarray")

CLAIM = "specs/claims/half-error.yaml"
HOSTILE = "</td><script>alert(1)</script>&\"'\\input{x}_%$^~#{}\u202e\u05d0"
#: The same for an operator, whose name may not turn the text around it.
ID = HOSTILE.replace("\u202e", "")
VOID = {"br", "wbr", "hr", "img", "meta", "link", "input"}


def noisy(name="noisy", operator="margin", text=""):
    return f"""
version: 1
name: {json.dumps(name)}
graph:
  operators:
    - {{id: {json.dumps(operator)}, type: margin}}
    - {{id: loss, type: softplus}}
loss: {{smoothness: 1/2, pl: 1/100, initial_gap: log(2), gradient_noise: 1/100, batch: 4}}
perturbations:
  - {{at: {json.dumps(operator)}, pass: forward, model: uniform, half_width: 1/8}}
training: {{step_size: 1/2, horizon: 20}}
budget: {{tolerance: 1/10, regime: nonconvex}}
simulation:
  data: {{generator: logistic, samples: 8, dimension: 2, seed: 1}}
  replicas: 3
  check: {{iterates: [1], samples: 2, draws: 64}}
{text}"""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """One of every public result, by name."""
    spec = bc.loads(noisy())
    graph = bc.build(spec)
    found = {
        "spec": spec,
        "graph": graph,
        "coefficients": bc.coefficients(graph),
        "published": bc.coefficients(graph, "published"),
        "rates": bc.rates(graph),
        "budget": bc.budget(graph),
        "verdicts": bc.verify(graph),
        "attack": bc.adversary(bc.load(example("separable-erratum")), "bias", starts=1),
        "errata": EvidenceTable(bc.errata("E1", "E2")),
        "explanation": explain("rate.nonconvex.sharp.bound", graph),
    }
    found["run"] = found["verdicts"].run
    found["rate"] = found["rates"].nonconvex["sharp"]
    found["number"] = found["rate"].bound
    found["verdict"] = found["verdicts"].verdicts[0]
    found["evidence"] = found["errata"][0]
    found["sweep"] = bc.sweep(
        spec, {"training.step_size": ["1/4", "1/2"]}, out=tmp_path_factory.mktemp("s"), workers=1
    )
    shrunk = bc.build(bc.load(example("low-precision-shrinkage")))
    found["theory rate"] = bc.rates(shrunk)
    found["answer"] = ask("rate", shrunk)
    found["statement"] = found["answer"].statements[0]
    found["quantity"] = bc.coefficients(shrunk)[0]
    found["theory verdicts"] = bc.verify(shrunk)
    found["theory run"] = found["theory verdicts"].run
    stale = bc.build(bc.load(example("dsp-k3")))
    found["stale rates"], found["compiled"] = bc.rates(stale), bc.coefficients(stale)
    found["distributed rate"] = bc.rates(bc.build(bc.load(example("quartic-dcsgd"))))
    return found


@pytest.fixture(scope="module")
def outcome():
    return bc.refute(CLAIM, boxes=20, starts=1)


class Checker(HTMLParser):
    """Elements that close in order; what is in them."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.text = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open, tag
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def parsed(html):
    checker = Checker()
    checker.feed(html)
    checker.close()
    assert checker.open == []
    return checker


def test_every_class_of_the_table_is_made_and_shown(made, outcome):
    seen = {f"{type(x).__module__}.{type(x).__qualname__}" for x in [*made.values(), outcome]}
    assert set(display.FORMS) == seen


def test_every_result_has_the_forms_that_its_class_promises(made, outcome):
    for name, result in {**made, "outcome": outcome}.items():
        forms = display.forms_of(result)
        assert isinstance(result, Shown), name
        assert isinstance(result, Tabular) == bool(forms.frame), name
        assert isinstance(result, Gridded) == bool(forms.dataset), name
        assert isinstance(result, Plotted) == bool(forms.figures), name


def test_html_of_every_result_is_one_closed_element_with_a_style_of_its_own(made, outcome):
    for name, result in {**made, "outcome": outcome}.items():
        html = result._repr_html_()
        found = parsed(html)
        assert html.startswith('<div class="boundcalc" tabindex="0">'), name
        assert "script" not in found.tags, name
        assert "".join(found.text).strip(), name
        style = re.search(r"<style>(.*?)</style>", html, re.S)[1]
        selectors = [s for s in re.findall(r"(?:^|})\s*([^{}]+){", style) for s in s.split(",")]
        assert all(s.strip().startswith(".boundcalc") for s in selectors), name
        text = re.sub(r"<[^>]+>", " ", html.replace(style, ""))
        assert not re.search(r"\b(nan|inf)\b", text), name


def test_tables_have_headers_with_scopes_and_captions(made):
    html = made["rates"]._repr_html_()
    assert html.count("<table>") == html.count("<caption>") == html.count("<thead>") == 2
    assert html.count('scope="col"') == 2 * 4
    assert html.count('scope="row"') == html.count("<tr>") - 2
    assert 'title="proved"' in html


def test_statuses_stand_with_the_numbers(made):
    assert "proved" in made["number"]._repr_html_()
    assert 'class="status" title="sampled"' in made["run"]._repr_html_()
    assert "mark-holds" in made["verdicts"]._repr_html_()


def test_hostile_names_are_shown_and_do_nothing():
    graph = bc.build(bc.loads(noisy(name=HOSTILE, operator=ID)))
    for result in (graph, bc.coefficients(graph), graph.spec, bc.budget(graph)):
        found = parsed(result._repr_html_())
        assert "script" not in found.tags
        assert "\u202e" not in result._repr_html_()
    assert "alert(1)" in "".join(parsed(graph._repr_html_()).text)


def test_a_long_name_is_cut():
    graph = bc.build(bc.loads(noisy(name="n" * 499, operator="x" * 90)))
    assert len(graph._repr_html_()) < 20_000
    assert "x" * 90 not in graph._repr_latex_()


def test_latex_of_every_result_compiles(made, outcome, tmp_path):
    hostile = bc.build(bc.loads(noisy(name="a_b & 50% ∇ Erdős", operator=ID[:59])))
    results = [*made.values(), outcome, hostile, bc.coefficients(hostile), bc.budget(hostile)]
    body = "\n\n\\bigskip\n\n".join(result._repr_latex_() for result in results)
    assert body.isascii()
    assert body.count("$$") % 2 == 0
    if shutil.which("pdflatex") is None:
        pytest.skip("there is no pdflatex")
    head = r"\documentclass{article}\usepackage[T1]{fontenc}\usepackage{amsmath,amssymb}"
    (tmp_path / "a.tex").write_text(f"{head}\\begin{{document}}\n{body}\n\\end{{document}}\n")
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "a.tex"],  # noqa: S607
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout.decode(errors="replace")[-2_000:]


def test_latex_of_coefficients_are_the_recurrences(made):
    assert made["coefficients"]._repr_latex_().startswith(r"$$\begin{aligned} V_{i-1} &= a_iV_i")


# --- frames


def numbers(frame, **where):
    """The values of the rows in which every column has the given value."""
    for column, value in where.items():
        frame = frame[frame[column] == value]
    return frame.value.tolist()


def test_frames_of_coefficients_have_the_numbers_of_the_json(made):
    for name in ("coefficients", "published"):
        frame, tree = made[name].to_pandas(), compile_results(made[name])
        for group, columns in tree["coefficients"].items():
            for column, sites in columns.items():
                for site, value in sites.items():
                    rows = numbers(frame, quantity=f"{group}_{column}", site=site)
                    assert rows == [value], (group, column, site)
        assert numbers(frame, quantity="error_bound") == [tree["error_bound"]]
        assert set(frame.status) <= {"proved", "computed"}


def test_frames_of_rates_have_the_numbers_of_the_json(made):
    frame, tree = made["rates"].to_pandas(), rate_results(made["rates"])
    for regime in ("nonconvex", "pl"):
        for family, entry in tree[regime].items():
            at = {"regime": regime, "family": family}
            assert numbers(frame, quantity="bound", **at) == [entry["bound"]]
            assert numbers(frame, quantity="best_step_size", **at) == [entry["best_step_size"]]
            for term, value in entry["terms"].items():
                assert numbers(frame, quantity=term, **at) == [value]
                found = frame[(frame.regime == regime) & (frame.family == family)]
                status = found[found.quantity == term].status.item()
                assert status == entry["term_status"][term]


def test_frames_of_budgets_have_the_numbers_of_the_json(made):
    frame, tree = made["budget"].to_pandas(), budget_results(made["budget"])
    site = tree["frequent"]["forward"]["margin"]["rms"]
    found = frame[(frame.site == "margin") & (frame["pass"] == "forward")]  # noqa: S105 - a pass
    assert found[found.quantity == "rms alone"].value.item() == site["alone"]
    assert numbers(frame, quantity="target") == [tree["question"]["target"]]
    events = tree["intermittent"]
    for event, passes in events.items():
        for direction, sites in passes.items():
            for label, cases in sites.items():
                for case, entry in cases.items():
                    at = {"part": event, "pass": direction, "site": label, "case": case}
                    assert numbers(frame, quantity="rate", **at) == [entry["rate"]]
                    assert numbers(frame, quantity="count_worst", **at) == [entry["count_worst"]]


def test_frames_of_runs_and_verdicts_have_the_numbers_of_the_json(made):
    frame, tree = made["run"].to_pandas(), simulate_results(made["run"])
    for row in frame.itertuples():
        entry = tree["metrics"][row.metric]
        assert [row.value, row.lo, row.hi] == [entry["mean"], *entry["ci"]]
        assert row.status == "sampled"
    assert set(frame.metric) == set(tree["metrics"])
    frame, tree = made["verdicts"].to_pandas(), verify_results(made["verdicts"])
    for row, entry in zip(frame.itertuples(), tree["verdicts"], strict=True):
        assert (row.claim, row.family, row.status) == (
            entry["claim"],
            entry["family"],
            entry["status"],
        )
        assert [row.bound, row.observed] == [entry["bound"], entry["observed"]]
        assert row.bound_status == entry["bound_status"]


def test_no_frame_has_an_infinity_and_every_number_has_a_status(made, outcome):
    for name, result in {**made, "outcome": outcome}.items():
        if not isinstance(result, Tabular):
            continue
        frame = result.to_pandas()
        assert len(frame), name
        for column in frame.select_dtypes("number"):
            assert not np.isinf(frame[column]).any(), (name, column)
        if "value" in frame:
            valued = frame[frame.value.notna()]
            assert set(valued.status) <= {*map(str, Status)}, name


def test_numbers_beyond_float64_are_nan_with_their_digits():
    from boundcalc.report.display_frames import cells, metrics
    from boundcalc.simulate.statistics import Metric

    huge = cells(Number(WIDE.number(13) * WIDE.number(10) ** 1087, Status.COMPUTED))
    assert math.isnan(huge["value"])
    assert (huge["beyond_float64"], huge["status"]) == ("1.3e+1088", "computed")
    tiny = cells(Number(Fraction(1, 10**400), Status.PROVED))
    assert math.isnan(tiny["value"])
    assert tiny["beyond_float64"] == "1e-400"
    assert cells(Number(Fraction(0), Status.PROVED))["value"] == 0
    (row,) = metrics({"m": Metric(math.inf, -math.inf, math.nan)}, 0.9)
    assert all(math.isnan(row[key]) for key in ("value", "lo", "hi"))
    assert row["beyond_float64"] == "inf -inf nan"


def test_a_chain_beyond_float64_has_a_frame_and_a_dataset():
    graph = bc.build(
        bc.loads(
            "{version: 1, name: deep, graph: {uniform: {jac: 9, lip: 9, hess: 1, hess_op: 1, "
            "third: 1}, operators: [{id: f, repeat: 400}]}}",
            format="yaml",
        )
    )
    found = bc.coefficients(graph, "published")
    frame, dataset = found.to_pandas(), found.to_xarray()
    outside = frame[frame.beyond_float64.notna()]
    assert len(outside)
    assert outside.value.isna().all()
    assert outside.beyond_float64.str.fullmatch(r"\d\S*e\+\d{3,}").all()
    assert int(np.isnan(dataset.error_forward).sum()) == dataset.error_forward.beyond_float64


# --- arrays


def test_arrays_of_coefficients_are_the_numbers_by_site(made):
    found, dataset = made["coefficients"], made["coefficients"].to_xarray()
    for column in found.columns:
        for site, number in found.by_id(column).items():
            dim = dataset[column].dims[0]
            assert dataset[column].sel({dim: site}).item() == number.json()
    matrix = np.array([[entry.json() for entry in row] for row in found.gram()])
    assert np.array_equal(dataset.gram, matrix)
    assert list(dataset.site.values) == list(found.gram_labels)
    assert dataset.gram.attrs["status"] == str(found.gram()[0][0].status)
    assert dataset.attrs["family"] == "sharp"


def test_arrays_of_runs_are_the_recorded_series(made):
    run, dataset = made["run"], made["run"].to_xarray()
    assert np.array_equal(dataset.loss, run.trajectory.loss)
    assert np.array_equal(dataset.gradient_norm, run.trajectory.gradient_norm)
    assert np.array_equal(dataset.step, run.trajectory.steps)
    assert dataset.metric_mean.sel(metric="final_loss") == run.metrics["final_loss"].mean
    assert (dataset.attrs["seed"], dataset.attrs["confidence"]) == (run.seed, run.confidence)
    assert dataset.attrs["boundcalc"] == bc.__version__
    other, dataset = made["theory run"], made["theory run"].to_xarray()
    for name, values in other.series.items():
        assert np.array_equal(dataset[name], values)


def test_arrays_of_a_sweep_are_on_its_grid(made):
    result, dataset = made["sweep"], made["sweep"].to_xarray()
    assert dict(dataset.sizes)["training.step_size"] == 2
    assert np.array_equal(dataset.final_loss, result.metric("final_loss"), equal_nan=True)
    first = result.points[0].metrics["final_loss"]
    assert dataset.final_loss_lo.values.flat[0] == first.lo
    assert dataset.attrs["status"] == "sampled"


# --- figures


def test_every_figure_is_one_of_matplotlib_that_shows_itself(made):
    from matplotlib.figure import Figure

    drawn, refused = 0, []
    for name, result in made.items():
        if not isinstance(result, Plotted):
            continue
        for kind in display.forms_of(result).figures:
            try:
                figure = result.figure(kind)
            except UnsupportedError as error:
                refused.append(str(error))
                continue
            assert isinstance(figure, Figure)
            if drawn < 3:
                assert figure._repr_png_().startswith(b"\x89PNG")
            drawn += 1
        assert isinstance(result.figure(), Figure), name
    assert drawn >= 9
    assert all("nothing to draw" in text for text in refused)


def test_an_unknown_figure_is_refused_with_the_nearest(made):
    with pytest.raises(UnsupportedError, match="did you mean 'bounds'"):
        made["verdicts"].figure("bound")


# --- what is not installed


@pytest.mark.parametrize(("extra", "ask_for"), [("pandas", "to_pandas"), ("xarray", "to_xarray")])
def test_without_an_extra_the_message_says_how_to_get_it(made, monkeypatch, extra, ask_for):
    monkeypatch.setitem(__import__("sys").modules, extra, None)
    with pytest.raises(UnsupportedError) as error:
        getattr(made["coefficients"], ask_for)()
    assert f"pip install 'boundcalc[{extra}]'" in str(error.value)


def test_a_class_without_forms_says_so():
    class Other(Shown):
        pass

    with pytest.raises(UnsupportedError, match="without a form"):
        Other()._repr_html_()
