"""Coefficients and bounds on the error of one gradient: perturbed passes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from boundcalc.arithmetic import Number
from boundcalc.explain import compiled_letters as letters
from boundcalc.explain.entry import Captures, Entry, Rule, letter
from boundcalc.explain.sharp_bounds import A3, at_hand, stated
from boundcalc.report.notation import BIAS, ERROR
from boundcalc.theories.perturbed.families import FAMILIES

if TYPE_CHECKING:
    from boundcalc.explain.results import Results
    from boundcalc.graph import OperatorGraph
    from boundcalc.theories.perturbed.coefficients import Coefficients

_COLUMNS = {
    ("error", "forward"): "error_forward",
    ("error", "backward"): "error_backward",
    ("bias", "forward_mean"): "bias_forward_mean",
    ("bias", "forward_fourth"): "bias_forward_fourth",
    ("bias", "backward_mean"): "bias_backward_mean",
}
#: Column → letter, what it multiplies, equation of [KZY], statement of docs/theory.md.
_ABOUT = {
    "error_forward": (r"C^e_{\delta}", "E‖δ‖²", "(21)", "4.5"),
    "error_backward": (r"C^e_{\varepsilon}", "E‖ε‖²", "(21)", "4.5"),
    "bias_forward_mean": (r"C^b_{\delta}", "‖E[δ|·]‖²", "(33a)", "4.2"),
    "bias_forward_fourth": (r"\tilde C^b_{\delta}", "", "(33b)", "4.2"),
    "bias_backward_mean": (r"C^b_{\varepsilon}", "‖E[ε|·]‖²", "(33b)", "4.2"),
}
#: The printed sums; ``corrected`` differs where the value is a pair.
_SUMS = {
    "error_forward": (r"4C_v^2L_{\nabla f}^2\sum_{j=i}^{N-1}S_j(2L_f^2)^{j-i}",) * 2,
    "error_backward": (
        r"\sum_{j=1}^{i}(3C_{\nabla f}^2)^j",
        r"2\sum_{j=1}^{i}(3C_{\nabla f}^2)^j",
    ),
    "bias_forward_mean": (
        r"8L_{\nabla^2f}^2C_v^2\sum_{j=i}^{N-1}S_j(4C_{\nabla f}^2)^{j-i}",
        r"8C_{\nabla^2f}^2C_v^2\sum_{j=i}^{N-1}S_j(4C_{\nabla f}^2)^{j-i}",
    ),
    "bias_forward_fourth": (r"8\sum_{j=i}^{N-1}C_{y_j}^2(8L_f^4)^{j-i}",) * 2,
    "bias_backward_mean": (r"2\sum_{j=1}^{i}(3C_{\nabla f}^2)^j",) * 2,
}
#: The printed bounds, with any coefficients.
_PRINTED = {
    "error": r"\sum_iC^e_{\delta_i}\mathbb{E}\lVert\delta_i\rVert^2"
    r"+\sum_iC^e_{\varepsilon_{i+1}}\mathbb{E}\lVert\varepsilon_{i+1}\rVert^2",
    "bias": r"\sum_iC^b_{\delta_i}\lVert\mathbb{E}\delta_i\rVert^2"
    r"+\sum_i\tilde C^b_{\delta_i}\mathbb{E}\lVert\delta_i\rVert^4"
    r"+\sum_iC^b_{\varepsilon_{i+1}}\lVert\mathbb{E}\varepsilon_{i+1}\rVert^2",
}
#: Family and group → where a printed bound is from, and where it is proved.
_SOURCES = {
    ("published", "error"): "[KZY], Theorem 1, (13); proved as docs/theory.md, Proposition 4.6",
    ("published", "bias"): "[KZY], Theorem 2, (23)",
    ("corrected", "error"): "[KZY], Theorem 1, (13) with E3; docs/theory.md, Proposition 4.6",
    ("corrected", "bias"): "docs/theory.md, Theorem 4.20: [KZY], Theorem 2, (23) with E1 and E2",
}
#: Column → the erratum that changes its sum.
_CORRECTED = {"error_backward": "E3", "bias_forward_mean": "E1"}
_ALONE = "the recurrences with this perturbation alone, of size 1"
_ENTRY = letter("G", "the Gram matrix of the sharp family: compile.gram")
_LEVEL = letter("z", "root mean squares of the perturbations, in the order of compile.gram_labels")


def family_of(captures: Captures) -> str:
    """The family in a path of results.json; that of ``compile --json`` where it names none."""
    return captures.get("family", "sharp")


def found(results: Results, captures: Captures) -> Coefficients:
    """The coefficients that a path is about."""
    return results.coefficients(family_of(captures))


def _column(captures: Captures) -> str:
    flat = captures.get("flat")
    return flat or _COLUMNS.get((captures["group"], captures["column"]), "error_forward")


def coefficient(captures: Captures, graph: OperatorGraph | None) -> Entry:
    """One coefficient of one site."""
    family, column = family_of(captures), _column(captures)
    letter, factor, equation, number = _ABOUT[column]
    group = column.partition("_")[0]
    if column == "bias_forward_fourth":
        factor = "(E‖δ‖²)²" if family == "sharp" else "E‖δ‖⁴"
    if family == "sharp":
        rows = stated(group, graph)
        formula, used = rows.formula, rows.inputs
        source = f"docs/theory.md, Theorem {number}"
        if graph is not None and not graph.is_smooth_chain:
            source += " on a graph: section 4.8"
    else:
        used = letters.sums(column, family)
        formula = _SUMS[column][family == "corrected"]
        source = f"[KZY], {equation}"
        if family == "corrected" and column in _CORRECTED:
            source += f" with {_CORRECTED[column]} of docs/theory.md, section 3"
    written = _written(graph, captures, column)
    if graph is not None and written is not None:
        formula, used = written, letters.symbols(graph)
    return Entry(
        f"the factor by which a perturbation at {captures['site']} enters the {family} bound on "
        f"the {group} of the gradient"
        + (", when it acts alone" if family == "sharp" else "")
        + f"; it multiplies {factor}",
        letter,
        formula,
        source,
        used,
        "bound",
        relation="=",
        number=lambda results, at: found(results, at).by_id(column).get(at["site"]),
        conditions=(*((_ALONE,) if family == "sharp" else ()), *_supposed(family, group)),
    )


def _written(graph: OperatorGraph | None, captures: Captures, column: str) -> str | None:
    """The formula in the spec's own symbols, where some have no value and it is short enough."""
    if graph is None or None not in graph.spec.symbols.values():
        return None
    from boundcalc.theories.perturbed.coefficients import coefficients

    written = coefficients(graph, family_of(captures)).formulas()
    return None if written is None else written.get(column, {}).get(captures["site"])


def _supposed(family: str, group: str) -> tuple[str, ...]:
    caution = FAMILIES[family].caution if group == "bias" else None
    return (A3,) if caution is None else (A3, caution)


def _bound(group: str, *, plain: bool = False) -> Any:
    def entry(captures: Captures, graph: OperatorGraph | None) -> Entry:
        family, says = family_of(captures), ""
        conditions: tuple[str, ...]
        if family == "sharp":
            bounds = at_hand(graph)
            rests = stated(group, graph, plain=plain, bounds=bounds)
            formula, used, source = rests.formula, rests.inputs, rests.source
            conditions = rests.conditions
            if plain:
                says = ", by the plain general recurrences"
            elif rests.refined:
                says = f", made smaller than the formula by {rests.refined}"
            elif bounds is None and graph is None:
                says = "; compile.form and compile.refinements say by which statement"
        else:
            formula, used = _PRINTED[group], letters.printed(group, family)
            source, conditions = _SOURCES[family, group], _supposed(family, group)
        name = {"error": "error E‖ũ−u‖²", "bias": "bias ‖E[ũ−u]‖²"}[group]

        def number(results: Results, at: Captures) -> Number | None:
            bounds = found(results, at).bounds
            if bounds is None:
                return None
            plains = {"error": bounds.error_plain, "bias": bounds.bias_plain}
            best = {"error": bounds.error, "bias": bounds.bias}
            return (plains if plain else best)[group]

        return Entry(
            f"the {family} bound on the {name} of one sample's gradient, with all perturbations "
            f"of the spec acting{says}",
            {"error": ERROR, "bias": BIAS}[group],
            formula,
            source,
            used,
            "bound",
            number=number,
            conditions=conditions,
        )

    return entry


def contribution(captures: Captures, graph: OperatorGraph | None) -> Entry:
    """What one operator, or one group of shared weights, adds to the sharp error bound."""
    del captures
    rests = stated("error", graph, bounds=at_hand(graph))
    return Entry(
        "what one group of weights contributes to the sharp error bound: the bounds on "
        "E‖ũ_i−u_i‖², which sum to error_bound"
        + (f", made smaller than the formula by {rests.refined}" if rests.refined else ""),
        r"\mathbb{E}\lVert\tilde u_i-u_i\rVert^2",
        rests.row,
        rests.source,
        rests.inputs,
        "bound",
        number=_contribution,
        conditions=rests.conditions,
    )


def _gram(results: Results, at: Captures) -> Number | None:
    matrix = results.once("gram", lambda _: found(results, at).gram())
    row, column = int(at["at0"]), int(at["at1"])
    return None if matrix is None else matrix[row][column]


def _separable(profile: str) -> Any:
    def number(results: Results, at: Captures) -> Number | None:
        made = results.once(profile, lambda _: found(results, at).separable(profile))  # type: ignore[arg-type]  # one of the two
        return None if made is None else made.get(at["site"])

    return number


def _contribution(results: Results, at: Captures) -> Number | None:
    from boundcalc.report.reading import contributions

    made = results.once("contributions", lambda _: contributions(found(results, at)))
    return made.get(at["id"])


_AT = "compile"

COMPILED: dict[str, Rule] = {}
for _at in (_AT, "compile.{family}"):
    COMPILED |= {
        f"{_at}.coefficients.{{group}}.{{column}}.{{site}}": coefficient,
        f"{_at}.exact.{{group}}.{{column}}.{{site}}": Entry(
            "the coefficient as an exact fraction p/q", kind="text"
        ),
        f"{_at}.error_bound": _bound("error"),
        f"{_at}.bias_bound": _bound("bias"),
        f"{_at}.error_bound_plain": _bound("error", plain=True),
        f"{_at}.bias_bound_plain": _bound("bias", plain=True),
        f"{_at}.gram#.#": Entry(
            "an entry of the Gram matrix G of the sharp family, rows and columns as in "
            "gram_labels: the error of all perturbations together is at most zᵀGz, z the root "
            "mean squares",
            r"\zeta^2",
            r"z^{\top}Gz",
            "docs/theory.md, Theorem 4.5",
            (_LEVEL, _ENTRY),
            relation="=",
            number=_gram,
        ),
        f"{_at}.gram": Entry("the Gram matrix; null where it is left out", kind="text"),
        f"{_at}.gram_labels#": Entry("the place of a row of the Gram matrix", kind="text"),
        f"{_at}.separable.{{site}}": Entry(
            "a coefficient D_j of a bound Σ D_j z_j² that holds for all levels z at once, the best "
            "one at the spec's levels, where it equals error_bound_plain",
            "D_j",
            r"\sum_kG_{jk}\frac{z_k}{z_j}",
            "docs/theory.md, Theorem 4.5",
            (
                letter("G_{jk}", "entry of the Gram matrix: compile.gram"),
                letter("z_j", "root mean square of the perturbation here"),
                letter("z_k", "root mean square of the perturbation at site k"),
            ),
            relation="=",
            number=_separable("spec"),
        ),
        f"{_at}.separable_minimax.{{site}}": Entry(
            "a coefficient D_j of a bound Σ D_j z_j² for all levels z at once, whose "
            "worst ratio to zᵀGz is least",
            "D_j",
            source="docs/theory.md, Theorem 4.15",
            number=_separable("minimax"),
        ),
        f"{_at}.contributions.{{id}}": contribution,
        f"{_at}.family": Entry("the family of bounds", kind="text"),
        f"{_at}.form": Entry(
            "which statement the bounds at the spec's levels come from", kind="text"
        ),
        f"{_at}.refinements#": Entry(
            "a refinement that made a stage of the bound smaller (docs/theory.md, 4.9 and 4.11)",
            source="docs/theory.md, Lemma 4.11",
            kind="text",
        ),
        f"{_at}.status.coefficients.{{flat}}": Entry(
            "how far the coefficients of a column can be trusted", kind="text"
        ),
        f"{_at}.formula.{{group}}.{{column}}.{{site}}": Entry(
            "the coefficient as a formula in the spec's symbols (LaTeX)", kind="text"
        ),
        f"{_at}.recurrence#": Entry("a line of the family's recurrences (LaTeX)", kind="text"),
        f"{_at}.closed_form.{{key}}": Entry(
            "the coefficient of operator i of a uniform chain (LaTeX)", kind="text"
        ),
        f"{_at}.repeated.{{key}}": Entry("a form in the number of repeats of a block", kind="text"),
    }
