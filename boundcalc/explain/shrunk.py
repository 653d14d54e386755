r"""Stepsize shrinkage: factors, statements, floors and budgets of [YUN]'s setting."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from boundcalc.arithmetic import Number, Scalar
from boundcalc.explain.entry import Captures, Compute, Entry, Input, Rule
from boundcalc.explain.statements import stated
from boundcalc.theories.registry import theory_named
from boundcalc.theories.shrinkage import descent, pl
from boundcalc.theories.shrinkage.formulas import TITLES, nonconvex_formula, pl_formula
from boundcalc.theories.shrinkage.setting import Case, Setting, case_of
from boundcalc.theories.values import Statement

if TYPE_CHECKING:
    from boundcalc.graph import OperatorGraph

_PAGE = "docs/theory-shrinkage.md"
_FORMS: dict[str, descent.Form] = {
    "nonconvex_sharp": "sharp",
    "pl_sharp": "sharp",
    "nonconvex_q_min": "least",
    "nonconvex_weighted": "weighted",
}


def _law(at: Captures) -> str:
    return at.get("shrunk", "nonconvex").removeprefix("compensated.")


def _case(graph: OperatorGraph, at: Captures) -> Case:
    case = case_of(graph, theory_named("shrinkage").own(graph.spec))
    changed = at.get("shrunk", "").startswith("compensated.")
    return case.replaced(compensated=True) if changed else case


def _number(formula: Callable[[Setting, descent.Form], Scalar | None]) -> Compute:
    def compute(graph: OperatorGraph, at: Captures) -> Number | None:
        form = _FORMS.get(_law(at), "plain")
        return _case(graph, at).number(lambda s: formula(s, form))

    return compute


def _sum(part: str) -> Compute:
    return _number(lambda s, form: getattr(descent.sums(s, form), part))


def _only(part: int) -> Compute:
    """A part of the single step of the recurrence; None where there are several."""

    def formula(s: Setting, form: descent.Form) -> Scalar | None:
        made = pl.steps(s, form)
        if len(made) != 1:
            return None
        return made[0].drop if part < 0 else made[0].added[part]

    return _number(formula)


GAP = Input(r"\Delta_0", "initial gap", spec="loss.initial_gap")
L = Input("L", "Lipschitz constant of ∇ℓ", spec="loss.smoothness")
PL = Input("m", "PL constant", spec="loss.pl")
STEP = Input(r"\mu", "step size", spec="training.step_size")
STEPS = Input("K", "number of steps", spec="training.horizon")
V = Input(
    "V", "variance of the gradient before it is shortened", compute=_number(lambda s, _: s.variance)
)
BIAS = Input("B^2", "squared bias of perturbed passes", compute=_number(lambda s, _: s.bias))
NOISE = Input(
    r"\sigma_e^2",
    "quantisation noise",
    "shrinkage.quantization_noise",
    compute=_number(lambda s, _: s.noise),
)
Q_MAX = Input(
    "q_{\\max}",
    "largest factor; 1 with compensation",
    "shrinkage",
    compute=_number(lambda s, _: s.kind.number(1) if s.compensated else s.q_max),
)
Q = Input(
    "q", "the factor", "shrinkage.q", compute=_number(lambda s, _: s.q[0] if s.constant else None)
)
A = Input("a", "total weight of the gradients, from below", compute=_sum("weight"))
SQUARES = Input("S_a", "Σ a_k², from above", compute=_sum("squares"))
LENGTHS = Input("S_s", "Σ s_k², from above", compute=_sum("steps"))
FACTOR = Input("b", "factor of the bias", compute=_sum("bias"))
DROP = Input("D", "1 − the contraction of one step", compute=_only(-1))
_ADDED = {
    name: Input("c", f"what one step adds by {name}", compute=_only(k))
    for k, name in enumerate(("nothing", "bias", "sampling", "quantization"))
}

Formula = tuple[str, tuple[Input, ...]]
_NONCONVEX: dict[str, Formula] = {
    "optimisation": (r"\frac{2\Delta_0}{a}", (GAP, A)),
    "bias": (r"bB^2", (FACTOR, BIAS)),
    "sampling": (r"\frac{LVS_a}{a}", (L, V, SQUARES, A)),
    "quantization": (r"\frac{L\sigma_e^2S_s}{a}", (L, NOISE, LENGTHS, A)),
}
_GROWN = r"\frac{1-(1-D)^{K}}{D}c"
_PL: dict[str, Formula] = {
    "optimisation": (r"(1-D)^{K}\Delta_0", (DROP, STEPS, GAP)),
    **{
        name: (_GROWN, (DROP, STEPS, _ADDED[name])) for name in ("bias", "sampling", "quantization")
    },
}


def _rounding(law: str) -> dict[str, Formula]:
    base = f"rate.shrinkage.{law}"
    low = Input(r"q_{lo}", "slope of the sector from below", path=f"{base}.q_low")
    edge = Input("t", "edge of the dead zone", path=f"{base}.dead_zone_edge")
    size = Input("d", "number of components", compute=_dimension)
    if law == "rounding":
        start = (r"\frac{2\Delta_0}{K\mu q_{lo}}", (GAP, STEPS, STEP, low))
        return {"optimisation": start, "dead_zone": ("dt^2", (size, edge))}
    return {
        "optimisation": (r"(1-m\mu q_{lo})^{K}\Delta_0", (PL, STEP, low, STEPS, GAP)),
        "dead_zone": (
            r"\frac{1-(1-m\mu q_{lo})^{K}}{2m}dt^2",
            (PL, STEP, low, STEPS, size, edge),
        ),
    }


def _dimension(graph: OperatorGraph, at: Captures) -> Number | None:
    case = _case(graph, at)
    if case.projection is None:
        return None
    return case.number(lambda s: s.kind.number(case.projection.dimension))  # type: ignore[union-attr]


def _terms(at: Captures) -> dict[str, Formula]:
    law = _law(at)
    if law.startswith("rounding"):
        return _rounding(law)
    return _PL if law.startswith("pl") else _NONCONVEX


def _statement(at: Captures, graph: OperatorGraph | None) -> Statement | None:
    """The statement with its numbers, or for one constant factor."""
    law = _law(at)
    plain = not at["shrunk"].startswith("compensated.")
    found = stated(graph).get(law) if plain else None
    if found is not None or law.startswith("rounding"):
        return found
    made = (pl_formula if law.startswith("pl") else nonconvex_formula)(
        "constant" if graph is None else _case(graph, at).kind,
        _FORMS.get(law, "plain"),
        compensated=not plain,
        perturbed=graph is not None and bool(_case(graph, at).levels.bounds),
        diminishing=graph is not None and _case(graph, at).own.steps.type != "constant",
        fitted="nothing",
    )
    return Statement(
        law, TITLES[law], made.quantity, made.bound, None, made.source, conditions=made.conditions
    )


def bound(at: Captures, graph: OperatorGraph | None) -> Entry:
    """The right side of a statement."""
    base = f"rate.shrinkage.{at['shrunk']}"
    inputs = tuple(
        Input(rf"t_{{{k}}}", f"the term {name}", path=f"{base}.terms.{name}")
        for k, name in enumerate(_terms(at), 1)
    )
    words = f"the bound of the statement {_words(at)}"
    return Entry.of(words, _statement(at, graph), inputs)


def _words(at: Captures) -> str:
    changed = at["shrunk"].startswith("compensated.")
    return TITLES[_law(at)] + (", with the step divided by q" if changed else "")


def term(at: Captures, graph: OperatorGraph | None) -> Entry:
    """One term of a statement."""
    formula, inputs = _terms(at)[at["term"]]
    case = None if graph is None else _case(graph, at)
    several = case is not None and case.kind in ("pattern", "segments")
    if several and _law(at).startswith("pl"):
        formula, inputs = "", ()
    words = f"a term of the bound of the statement {_words(at)}: {at['term']}"
    if not formula:
        words += "; a recurrence along the factors, without a closed form"
    return Entry.part(words, _statement(at, graph), formula, inputs)


def limit(at: Captures, graph: OperatorGraph | None) -> Entry:
    """The largest step size of a statement."""
    top = 2 if _FORMS.get(_law(at)) == "sharp" else 1
    words = f"the largest step size for which the statement {_words(at)} holds"
    formula = rf"\frac{{{top}}}{{Lq_{{\max}}}}"
    return Entry.part(
        words, _statement(at, graph), formula, (L, Q_MAX), kind="limit", quantity=r"\mu"
    )


def floor(at: Captures, graph: OperatorGraph | None) -> Entry:
    """What is left of a bound as the horizon grows."""
    words = f"what remains of the bound of the statement {_words(at)} as the horizon grows"
    return Entry.part(words, _statement(at, graph), "", ())


_QUANTITIES: dict[str, tuple[str, str, tuple[Input, ...], str]] = {
    "q_mean": ("the average factor by which gradients are shortened", "", (Q,), "value"),
    "q_min": ("the smallest factor", "", (Q,), "limit"),
    "q_max": ("the largest factor", "", (Q_MAX,), "bound"),
    "variance": ("V, the variance of the gradient before it is shortened", "", (V,), "bound"),
    "bias": ("B², the squared bias of perturbed passes", "", (BIAS,), "bound"),
    "noise": ("σ_e², the variance that quantisation adds", "", (NOISE,), "bound"),
    "step_size_limit": (
        "the largest step for known factors",
        r"\frac{1}{Lq_{\max}}",
        (L, Q_MAX),
        "limit",
    ),
    "step_size_limit_any_factor": (
        "the largest step for any factors",
        r"\frac{1}{L}",
        (L,),
        "limit",
    ),
    "vanishing": ("the share of components that become 0 in the format", "", (), "value"),
    "saturated": ("the share of components beyond the format's largest number", "", (), "value"),
    "factors": ("what is known of the factors", "", (), "text"),
    "fitted": ("whether the factor is fitted to a gradient law, not proved", "", (), "text"),
    "uniform_q_min": ("the smallest factor, where it is not fitted", "", (), "limit"),
    "raises_floor": ("whether shrinkage raises the floor of the nonconvex bound", "", (), "text"),
    "tuned_refused": ("why there is no tuned step; null where there is one", "", (), "text"),
}
_BUDGET = {
    "regime": "which statement is inverted",
    "target": "what the bound may be",
    "baseline": "the bound in full precision",
    "bound": "the bound of the spec",
    "q": "the smallest constant factor that meets the target",
    "q_compensated": "the same at the step divided by q",
    "quantization_noise": "the largest noise that meets the target at the spec's factors",
    "quantization_noise_compensated": "the same at the step divided by q",
    "step_size": "the largest step that meets the target at the spec's factors and noise",
}


def quantity(at: Captures, graph: OperatorGraph | None) -> Entry:
    """A number that the statements are made of."""
    del graph
    words, formula, inputs, kind = _QUANTITIES[at["key"]]
    source = (
        f"{_PAGE}, Lemma 11.1"
        if at["key"] not in ("vanishing", "saturated")
        else f"{_PAGE}, section 11.5"
    )
    made: Any = {"kind": kind, "source": source, "inputs": inputs}
    return Entry(words, formula=formula, relation="=", **made)


def budget(at: Captures, graph: OperatorGraph | None) -> Entry:
    """A number of the budget."""
    del graph
    key = at["key"]
    kind = {"regime": "text", "bound": "bound", "baseline": "bound", "target": "value"}
    return Entry(_BUDGET[key], source=f"{_PAGE}, section 11.6", kind=kind.get(key, "limit"))  # type: ignore[arg-type]


_RATE = "rate.shrinkage.{shrunk}"
SHRUNK: dict[str, Rule] = {
    f"{_RATE}.bound": bound,
    f"{_RATE}.terms.{{term}}": term,
    f"{_RATE}.step_size_limit": limit,
    f"{_RATE}.floor": floor,
    f"{_RATE}.q_low": Entry(
        "the slope of the format's sector from below", source=f"{_PAGE}, Theorem 11.9", kind="limit"
    ),
    f"{_RATE}.q_high": Entry(
        "the slope of the format's sector from above", source=f"{_PAGE}, Theorem 11.9", kind="bound"
    ),
    f"{_RATE}.dead_zone_edge": Entry(
        "components up to this may become 0", source=f"{_PAGE}, Theorem 11.9", kind="bound"
    ),
    "rate.shrinkage.exact.floor": Entry(
        "the exact floor on a quadratic of one curvature",
        r"\lim\mathbb{E}[\ell(w_k)-\ell^*]",
        r"\frac{\mu(qV+\frac{\sigma_e^2}{q})}{2(2-\mu qm)}",
        f"{_PAGE}, Theorem 11.6",
        (STEP, Q, V, NOISE, PL),
        "value",
        "=",
    ),
    "rate.shrinkage.exact.raises_floor": Entry(
        "whether shrinkage raises the exact floor", kind="text"
    ),
    "rate.shrinkage.tuned.step_size": Entry(
        "the step that nearly minimises the nonconvex bound, rounded down",
        source=f"{_PAGE}, Theorem 11.2",
        kind="limit",
    ),
    "rate.shrinkage.tuned.bound": Entry(
        "the nonconvex bound at the tuned step", source=f"{_PAGE}, Theorem 11.2", kind="bound"
    ),
    "rate.shrinkage.{key}": quantity,
    "compile.shrinkage.{key}": quantity,
    "rate.shrinkage.compensated": Entry(
        "the bounds at the step μ/q; null where the spec has it", kind="text"
    ),
    "rate.shrinkage.pl": Entry("the PL statement; null without `loss.pl`", kind="text"),
    "rate.shrinkage.tuned": Entry("the tuned step; null where tuned_refused says why", kind="text"),
    "budget.shrinkage.{key}": budget,
}
