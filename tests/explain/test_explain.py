"""Every leaf of every result is explained, and the formulas that are printed are right."""

import json
import re
from pathlib import Path

import mpmath
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from latex_values import NotArithmeticError, latex_value

import boundcalc as bc
from boundcalc.arithmetic import Number
from boundcalc.arithmetic.number import as_decimal
from boundcalc.cli.explain import explain as command
from boundcalc.errors import BoundcalcError, SpecError
from boundcalc.explain import explain
from boundcalc.explain.explaining import MEANINGS
from boundcalc.explain.links import REPEATED, SECTIONS, link
from boundcalc.explain.paths import captures_of, leaves, locate
from boundcalc.explain.registry import REGISTRY
from boundcalc.explain.results import Results
from boundcalc.resources import example
from boundcalc.spec.places import dotted

DOCS = Path(__file__).parents[2] / "docs"
VERBS = ("compile", "rate", "budget", "simulate", "verify")
#: One for each theory whose simulation is short, and others whose results have more in them.
WALKED = {
    "bilinear-erratum": VERBS,
    "three-operators": VERBS[:3],
    "logistic-nonconvex": VERBS[:3],
    "siamese": VERBS[:1],
    "dsp-k3": VERBS,
    "dsp-momentum": VERBS[:3],
    "low-precision-shrinkage": VERBS,
    "fp8-underflow": VERBS[:3],
    "quartic-dcsgd": VERBS,
    "quartic-dsignsgd-cauchy": VERBS[:3],
}
_MADE: dict[str, Results] = {}


def results(name):
    if name not in _MADE:
        _MADE[name] = Results(bc.build(bc.load(example(name))))
    return _MADE[name]


def data_of(found, verb):
    try:
        return found.data(verb)
    except BoundcalcError:
        return {}  # the spec has no such section


@pytest.mark.parametrize("name", WALKED)
def test_every_leaf_of_every_result_is_explained(name):
    found = results(name)
    seen = 0
    for verb in WALKED[name]:
        for at, value in leaves(data_of(found, verb)):
            if not at:
                continue
            made = explain(dotted(at), found)
            seen += 1
            assert made.entry.says, dotted(at)
            if isinstance(value, bool) or not isinstance(value, int | float):
                continue
            assert made.value == value, dotted(at)
            assert made.status in MEANINGS, dotted(at)
    assert seen > 40


@pytest.mark.parametrize("name", WALKED)
def test_formulas_give_the_numbers_of_rates_at_their_inputs(name):
    found = results(name)
    checked = 0
    for verb in ("compile", "rate"):
        for at, value in leaves(data_of(found, verb)):
            if not isinstance(value, float | int) or isinstance(value, bool):
                continue
            made = explain(dotted(at), found)
            formula = made.entry.formula.split("=")[-1]
            letters = {g.input.symbol: exactly(g.value) for g in made.inputs}
            if not formula or None in letters.values() or not letters:
                continue
            try:
                computed = latex_value(formula, letters)
            except NotArithmeticError:
                continue
            assert mpmath.almosteq(computed, mpmath.mpf(value), 1e-9, 1e-300), (dotted(at), formula)
            checked += 1
    expected = {"siamese": 0, "bilinear-erratum": 0}.get(name, 5)
    assert checked >= expected


#: What a formula has besides letters: commands, functions, and indices that a sum binds.
FIRST = re.compile(
    r"\\(t?frac|sqrt|sum|in|left|right|[bB]ig[lr]|lbrace|rbrace|cdot|mathbb\{E\})(?![a-zA-Z])"
)
THEN = re.compile(
    r"\\(max|min|sup|lVert|rVert|le|top|quad)(?![a-zA-Z])|[_^]\{[ijkN=0-9+-]*\}|_[ijk]"
)


def unexplained(formula, symbols):
    """What is left of a formula without the given letters, commands, numbers and signs."""
    formula = FIRST.sub(" ", formula)
    for symbol in sorted(symbols, key=len, reverse=True):
        end = "(?![a-zA-Z])" if re.search(r"\\[a-zA-Z]+$", symbol) else ""
        formula = re.sub(re.escape(symbol) + end, " ", formula)
    return re.sub(r"[-+*/=()\[\]{}^_,.:;|'\s\d&\\]", "", THEN.sub(" ", formula))


EXPLAINED = WALKED | {"logistic-strongly-convex": VERBS[:2]}


@pytest.mark.parametrize("name", EXPLAINED)
def test_every_letter_of_a_formula_has_a_value_or_words(name):
    found = results(name)
    seen = set()
    for verb in EXPLAINED[name]:
        families = ("published", "corrected", "sharp")
        more = [f"compile.{f}.{g}_bound" for f in families for g in ("error", "bias")]
        paths = [dotted(at) for at, _ in leaves(data_of(found, verb)) if at]
        for path in paths + more * (verb == "compile" and found.graph.spec.theory == "perturbed"):
            made = explain(path, found)
            if not made.entry.formula or made.value is None:
                continue
            letters = {g.input.symbol for g in made.inputs}
            left = unexplained(made.entry.formula, letters)
            assert not left, (path, made.entry.formula, left)
            for entry in made.inputs:
                assert entry.input.meaning, (path, entry.input.symbol)
                valued = entry.value is not None or entry.input.in_words
                assert valued, (path, entry.input.symbol)
            seen.add(made.entry.formula)
    assert seen


def test_letters_of_a_formula_that_are_missing_are_seen():
    assert (
        unexplained(r"\min\left\lbrace\frac{1}{kL},\sqrt{\frac{G}{H}}\right\rbrace", ["L"]) == "kGH"
    )
    assert unexplained(r"\max_i\kappa_im_i^2", ["m_i"])
    assert not unexplained(r"\max_i\kappa_im_i^2", ["m_i", r"\kappa_i"])


def test_the_sum_of_the_terms_is_not_put_behind_the_initial_gap():
    found = results("low-precision-shrinkage")
    for law in ("pl", "pl_sharp", "compensated.pl"):
        made = explain(f"rate.shrinkage.{law}.bound", found)
        assert made.entry.formula == "t_{1}+t_{2}+t_{3}+t_{4}"
        assert sum(g.value for g in made.inputs) == pytest.approx(made.value, rel=1e-12)


def test_the_best_step_is_its_formula_at_its_inputs():
    found = results("three-operators")
    for family, (k, gap, noise, error) in {
        "published": (3, 6, 6, 6),
        "sharp": (1, 2, 1, 1),
    }.items():
        made = explain(f"rate.nonconvex.{family}.best_step_size", found)
        L, start, horizon, sigma, level = (exactly(g.value) for g in made.inputs)
        root = mpmath.sqrt(gap * start / (horizon * L * (noise * sigma**2 + error * level)))
        assert mpmath.almosteq(made.value, min(1 / (k * L), root), 1e-9)


def test_the_parts_of_a_bound_have_the_statuses_of_their_terms(tmp_path):
    found = results("logistic-strongly-convex")
    file = tmp_path / "results.json"
    content = {"versions": {}, **found.data("rate")}
    file.write_text(json.dumps(content), encoding="utf-8")
    for source in (found, file):
        for family in ("published", "sharp"):
            base = f"rate.nonconvex.{family}"
            for part in ("optimisation", "sampling"):
                term = explain(f"{base}.terms.{part}", source)
                assert explain(f"{base}.split.{part}", source).status == term.status == "proved"
        published = explain("rate.nonconvex.published.split.perturbation", source)
        assert published.status == "computed"


def test_a_results_file_says_that_inputs_need_the_spec(tmp_path, capsys):
    file = tmp_path / "results.json"
    content = {"versions": {}, **results("three-operators").data("rate")}
    file.write_text(json.dumps(content), encoding="utf-8")
    path = "rate.nonconvex.sharp.terms.perturbation_error"
    assert explain(path, file).without_inputs
    assert not explain(path, results("three-operators")).without_inputs
    assert not explain(path).without_inputs
    assert not explain("rate.nonconvex.sharp.bound", file).without_inputs
    command(path, file)
    assert "give the spec in its place" in " ".join(capsys.readouterr().out.split())


def test_symbols_can_be_set_with_a_spec_only(tmp_path):
    file = tmp_path / "results.json"
    file.write_text(json.dumps({"versions": {}, "rate": {"horizon": 5}}), encoding="utf-8")
    for source in (file, None):
        with pytest.raises(SpecError, match="--set needs a spec"):
            command("rate.horizon", source, settings=["a=1"])


@pytest.mark.parametrize("path", ["operators#", "foo", "verify.verdicts#.slack", "#"])
def test_what_an_error_recommends_can_be_asked_for(path):
    with pytest.raises(SpecError) as error:
        explain(path)
    assert "#" not in error.value.fix
    assert "#" not in error.value.expected
    for named in re.findall(r"'(.+?)'", error.value.fix):
        assert explain(named).entry.says
    for named in error.value.expected.partition("such as ")[2].split(", "):
        assert explain(named).entry.says


def exactly(value):
    if isinstance(value, Number):
        return mpmath.mpf(str(as_decimal(value.value, 40)))
    return mpmath.mpf(value) if isinstance(value, float | int) else None


@pytest.mark.parametrize(
    "name", ["logistic-nonconvex", "logistic-strongly-convex", "three-operators"]
)
def test_every_term_of_every_family_has_a_formula_that_was_checked(name):
    found = results(name)
    rate = found.data("rate")["rate"]
    for regime in ("nonconvex", "pl"):
        for family, entry in rate[regime].items():
            for term, value in entry["terms"].items():
                made = explain(f"rate.{regime}.{family}.terms.{term}", found)
                letters = {g.input.symbol: exactly(g.value) for g in made.inputs}
                computed = latex_value(made.entry.formula, letters)
                assert mpmath.almosteq(computed, mpmath.mpf(value), 1e-9, 1e-300), (family, term)


@pytest.mark.parametrize("name", ["logistic-nonconvex", "dsp-k3", "fp8-underflow", "quartic-dcsgd"])
def test_a_bound_is_the_sum_of_the_terms_that_it_names(name):
    found = results(name)
    bounds = 0
    for at, value in leaves(found.data("rate")):
        if at[-1] != "bound" or "corollary" in at or "tuned" in at or not isinstance(value, float):
            continue
        made = explain(dotted(at), found)
        total = sum(g.value for g in made.inputs)
        assert total == pytest.approx(value, rel=1e-12), dotted(at)
        bounds += 1
    assert bounds >= 2


def test_statuses_are_those_of_the_numbers():
    found = results("logistic-nonconvex")
    assert explain("rate.nonconvex.published.bound", found).status == "computed"
    assert explain("rate.nonconvex.published.terms.sampling", found).status == "proved"
    assert explain("compile.gram[0][1]", found).status == "proved"
    assert explain("compile.published.bias_bound", found).status == "computed"
    assert explain("compile.published.error_bound", found).status == "proved"
    assert explain("rate.horizon", found).status == "stated"
    run = results("bilinear-erratum")
    assert explain("simulate.metrics.final_loss.mean", run).status == "sampled"
    assert explain("verify.verdicts.1.bound", run).status == "computed"
    assert explain("verify.verdicts[1].slack", run).status == "sampled"
    stale = results("dsp-k3")
    assert explain("rate.staleness.sgd.terms.noise", stale).status == "proved"


def test_inputs_say_where_they_stand_in_the_spec():
    made = explain("rate.nonconvex.sharp.terms.sampling", example("logistic-nonconvex"))
    text = example("logistic-nonconvex").read_text(encoding="utf-8").splitlines()
    for entry in made.inputs:
        file, line, key = re.fullmatch(r"(.+\.yaml):(\d+): (.+)", entry.where).groups()
        assert file.endswith("logistic-nonconvex.yaml")
        assert key.split(".")[-1] in text[int(line) - 1]


def test_a_number_of_another_family_can_be_asked_for_at_a_spec():
    found = results("logistic-nonconvex")
    published = bc.coefficients(found.graph, "published")
    made = explain("compile.published.coefficients.error.forward.margin", found)
    assert made.value == published.by_id("error_forward")["margin"].json()
    assert "C_v" in made.entry.formula


def test_the_results_of_a_report_are_a_source_too(tmp_path):
    from boundcalc.theories.ask import write_report

    graph = bc.build(bc.load(example("separable-erratum")))
    write_report(graph, tmp_path / "out", engine=None)
    file = tmp_path / "out" / "results.json"
    content = json.loads(file.read_text(encoding="utf-8"))
    for at, value in leaves(content):
        made = explain(dotted(at), file)
        assert made.entry.says
        if isinstance(value, int | float) and not isinstance(value, bool):
            assert made.value == value
    sharp = explain("compile.sharp.error_bound", str(file))
    assert (sharp.value, sharp.status) == (0.0625, "proved")


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("rate.nonconvex.sharp.terms.samplin", "rate.nonconvex.sharp.terms.sampling"),
        ("rate.nonconvx.sharp.bound", "rate.nonconvex.sharp.bound"),
        ("compile.coefficients.error.forward.margn", "compile.coefficients.error.forward.margin"),
        ("", None),
        ("rate..", None),
        ("x" * 10_000, None),
        ("rate.nonconvex.sharp.terms[3]", None),
    ],
)
def test_an_unknown_path_is_refused_with_the_nearest(path, meant):
    with pytest.raises(SpecError) as error:
        explain(path, results("logistic-nonconvex"))
    assert error.value.fix
    if meant:
        assert meant in error.value.fix
    assert len(str(error.value)) < 2_000


def test_a_number_that_only_other_specs_have_is_no_misspelling():
    with pytest.raises(SpecError, match="no such number, though others do") as error:
        explain("rate.pl.sharp.bound", results("logistic-nonconvex"))
    assert "loss.pl" in error.value.expected
    assert "boundcalc explain rate" in error.value.fix


def test_without_a_spec_the_general_text_is_there():
    made = explain("rate.pl.published.terms.perturbation_bias")
    assert not made.known
    assert made.entry.formula == r"\frac{1}{2}\gamma S_B"
    assert made.doc == "docs/theory.md#2-the-published-statements"
    for path in (
        "rate.staleness.sgd.sharp.bound",
        "rate.shrinkage.compensated.pl.terms.sampling",
        "rate.distributed.statements.sign.bound",
        "verify.verdicts.3.slack",
        "budget.frequent.forward.margin.rms.alone",
        "compile.coefficients.bias.forward_fourth.f1",
    ):
        made = explain(path)
        assert made.entry.formula, path
        assert made.entry.source, path
    group = explain("rate.nonconvex.sharp", results("logistic-nonconvex"))
    assert "rate.nonconvex.sharp.terms.sampling" in group.members
    assert explain("verify").members


def anchors():
    """The anchors of a page: of headings, as GitHub and the site make them, and of statements."""
    found = {}
    for page in DOCS.glob("*.md"):
        text = page.read_text(encoding="utf-8")
        heads = re.findall(r"^#{1,4} (.+)$", text, re.M)
        slugs = {slug(head) for head in heads}
        statements = re.findall(
            r"^\*\*(Theorem|Lemma|Proposition|Corollary) (\d+\.\d+)", text, re.M
        )
        slugs |= {f"{kind.lower()}-{number.replace('.', '-')}" for kind, number in statements}
        found[f"docs/{page.name}"] = slugs
    return found


def slug(heading):
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_every_reference_leads_to_a_place_that_exists():
    known = anchors()
    references = {*REPEATED.values(), *(f"docs/{p}.md#{a}" for (p, _), a in SECTIONS.items())}
    for name in WALKED:
        for verb in WALKED[name]:
            for at, _ in leaves(data_of(results(name), verb)):
                if at:
                    source = explain(dotted(at), results(name)).entry.source
                    if source.startswith("docs/"):
                        assert link(source) is not None, source
                    references.add(link(source))
    for reference in references - {None}:
        page, _, anchor = reference.partition("#")
        assert page in known, reference
        assert not anchor or anchor in known[page], reference
    assert len(references) > 15


def test_every_pattern_fits_itself_only_once():
    for pattern in REGISTRY:
        assert captures_of(pattern, re.sub(r"\.?#|\.?\{\w+\}", "", pattern) + "\n") is None


_KEYS = st.text(st.sampled_from("ab.[]0'\" é<&\\"), min_size=1, max_size=6)


@settings(max_examples=100, deadline=None)
@given(st.recursive(st.integers(), lambda x: st.lists(x) | st.dictionaries(_KEYS, x), max_leaves=8))
def test_a_place_written_out_is_found_again_or_another_with_the_same_name(data):
    for at, _ in leaves(data):
        plain = ".".join(str(key) for key in at)
        found = locate(data, plain)
        assert found is not None
        assert ".".join(str(key) for key in found[0]) == plain


#: Spec → what its sharp bounds rest on: forward and backward theorems, and refinements.
_RESTS = {
    "three-operators": ("4.1", "4.3", "4.2"),
    "logistic-nonconvex": ("4.1", "4.3", "4.2"),
    "fine-tuning": ("4.1", "4.3", "4.2"),
    "diamond": ("4.7", "4.9", "4.8"),
    "lqc": ("4.7", "4.9", "4.8"),
}
_PLACES = {
    "independence": "Theorem 4.13",
    "superposition": "Theorems 4.17 and 4.18",
    "saturation": "Lemma 4.11",
    "mean cap": "Lemma 4.4",
}


@pytest.mark.parametrize("name", _RESTS)
def test_a_bound_names_the_statement_that_it_was_made_by(name):
    found, (general, centred, means) = results(name), _RESTS[name]
    data = found.data("compile")["compile"]
    best = {group: explain(f"compile.{group}_bound", found).entry for group in ("error", "bias")}
    plain = {g: explain(f"compile.{g}_bound_plain", found).entry for g in ("error", "bias")}
    assert data["form"].endswith(f"(Theorem {centred})")
    assert f"Theorem {centred}" in best["error"].source
    assert f"Theorem {means} with Theorem {centred}" in best["bias"].source
    assert plain["error"].source.endswith(f"Theorem {general}")
    assert plain["bias"].source.endswith(f"Theorem {means}")
    for refinement, place in _PLACES.items():
        assert (refinement in data["refinements"]) == (place in best["bias"].source), refinement
        assert place not in plain["bias"].source
    assert any("E[δ |" in condition for condition in best["error"].conditions)
    assert not any("E[" in condition for entry in plain.values() for condition in entry.conditions)
    independent = "forward perturbations are independent of each other"
    assert (independent in best["bias"].conditions) == ("independence" in data["refinements"])
    letter = "b_i" if name in ("three-operators", "logistic-nonconvex", "fine-tuning") else "b_v"
    assert all(letter in entry.formula for entry in (*best.values(), *plain.values()))


def test_the_error_of_two_operators_is_its_formula():
    """Theorem 4.3 at N = 2, by hand: R₁ = A₂s₁, W₁ = ε₂² , s₁ = e₁."""
    graph = bc.build(bc.loads(_TWO))
    found = Results(graph)
    entry = explain("compile.error_bound", found)
    row = entry.entry.formula.removeprefix(r"\sum_i")
    assert row == r"\bigl((b_iR_i+B_iV_is_{i-1})^2+b_i^2W_i\bigr)"
    b, A, B, e, eps = (2, 3), 5, 7, 0.5, 0.25
    first = (b[0] * A * e) ** 2 + b[0] ** 2 * eps**2
    second = (B * e) ** 2
    assert entry.value == pytest.approx(first + second, rel=1e-12)


_TWO = """
version: 1
name: two operators
graph:
  operators:
    - {id: f1, constants: {jac_weight: 2}}
    - id: f2
      constants: {jac_input: 11, lip_input: 11, jac_weight: 3, hess_input: 5, hess_mixed: 7,
        third_input: 1, third_mixed: 1}
perturbations:
  - {at: f1, pass: forward, rms: 1/2, mean: 0}
  - {at: f2, pass: backward, rms: 1/4, mean: 0}
"""


def test_an_error_bound_names_the_refinement_that_errors_have():
    """Noise so large that a Jacobian cannot move by as much as its Lipschitz constant allows."""
    loud = _TWO.replace("rms: 1/2", "rms: 100")
    entry = explain("compile.error_bound", Results(bc.build(bc.loads(loud)))).entry
    assert entry.source.endswith("refined by saturation (Lemma 4.11)")
    assert "smaller than the formula by saturation" in entry.says
    assert (
        "saturation"
        not in explain("compile.error_bound", Results(bc.build(bc.loads(_TWO)))).entry.source
    )


def test_corrected_bounds_name_what_proves_them():
    found = results("three-operators")
    bias = explain("compile.corrected.bias_bound", found).entry
    assert "Theorem 4.20" in bias.source
    assert any("(E2)" in condition and "(E4)" in condition for condition in bias.conditions)
    assert "Proposition 4.6" in explain("compile.corrected.error_bound", found).entry.source
    column = "compile.corrected.coefficients.bias.forward_mean."
    assert "(33a) with E1" in explain(column + found.graph.nodes[0].id, found).entry.source


def test_a_constant_that_nobody_uses_is_no_statement_about_the_operator():
    found = results("logistic-nonconvex")
    told = explain("compile.graph.operators.0.constants.jac_input", found)
    assert "not used" in told.entry.says
    assert told.status == "stated"
