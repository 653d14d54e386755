r"""Convergence bounds on perturbed passes: every term with its formula.

The factors are those of :class:`~boundcalc.theories.perturbed.descent.Descent`, over which the
bounds themselves are computed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from boundcalc.explain.entry import Captures, Entry, Input, Rule
from boundcalc.explain.rate_inputs import average, discounted
from boundcalc.report.notation import NONCONVEX, PL
from boundcalc.theories.perturbed.families import FAMILIES

if TYPE_CHECKING:
    from boundcalc.explain.results import Results
    from boundcalc.graph import OperatorGraph
    from boundcalc.rates import Rate
    from boundcalc.theories.perturbed.descent import Descent

L = Input("L", "Lipschitz constant of ∇ℓ", spec="loss.smoothness")
MU = Input(r"\mu", "PL constant", spec="loss.pl")
GAP = Input(r"\Delta_0", "initial gap ℓ(w⁰) − ℓ*", spec="loss.initial_gap")
SIGMA = Input(
    r"\sigma", "sampling noise: variance of a gradient at most σ²", spec="loss.gradient_noise"
)
STEP = Input(r"\gamma", "step size", spec="training.step_size")
HORIZON = Input("T", "horizon: number of steps", spec="training.horizon")

_ERROR = "bound on E‖ũ−u‖² of a batch"
_ADDED = (
    "what the perturbations add to the variance of a batch: ζ², or ζ² + 2σζ where the error "
    "has a mean (docs/theory.md, Lemma 6.3)"
)
_BIAS = "bound on ‖E[ũ−u]‖²"
_DISCOUNTED = "summed over the steps, each times the contraction of the steps after it"


def _times(factor: int | tuple[int, int]) -> str:
    r"""A factor in front of a product.

    >>> _times(1), _times(6), _times((1, 2))
    ('', '6', '\\frac{1}{2}')
    """
    top, bottom = (factor, 1) if isinstance(factor, int) else factor
    if bottom != 1:
        return rf"\frac{{{top}}}{{{bottom}}}"
    return "" if top == 1 else str(top)


def _nonconvex(d: Descent) -> dict[str, tuple[str, tuple[Input, ...]]]:
    level = Input(r"\bar E", f"{_ERROR}, averaged over the steps", compute=average("error"))
    error = rf"{_times(d.error)}L\gamma\bar E"
    if d.splits_variance:
        level = Input(r"\bar V", f"{_ADDED}, averaged over the steps", compute=average("variance"))
        error = rf"{_times(d.error)}L\gamma\bar V"
    bias = Input(r"\bar B", f"{_BIAS}, averaged over the steps", compute=average("bias"))
    return {
        "optimisation": (rf"\frac{{{_times(d.gap)}\Delta_0}}{{\gamma T}}", (GAP, STEP, HORIZON)),
        "sampling": (rf"{_times(d.noise)}L\gamma\sigma^2", (L, STEP, SIGMA)),
        "perturbation_error": (error, (L, STEP, level)),
        "perturbation_bias": (rf"{_times(d.bias)}\bar B", (bias,)),
    }


def _pl(d: Descent) -> dict[str, tuple[str, tuple[Input, ...]]]:
    contraction = rf"1-{_times(d.contraction)}\mu\gamma"
    sampling = rf"\frac{{{_times(d.pl_noise or 1)}L\gamma\sigma^2}}{{\mu}}"
    used: tuple[Input, ...] = (L, STEP, SIGMA, MU)
    if d.pl_noise is None:
        sampling = rf"\frac{{L\gamma\sigma^2}}{{2\mu}}(1-({contraction})^{{T}})"
        used = (*used, HORIZON)
    part, words = ("variance", _ADDED) if d.splits_variance else ("error", _ERROR)
    level = Input(r"S_E", f"{words}, {_DISCOUNTED}", compute=discounted(part))
    bias = Input(r"S_B", f"{_BIAS}, {_DISCOUNTED}", compute=discounted("bias"))
    return {
        "optimisation": (rf"({contraction})^{{T}}\Delta_0", (MU, STEP, HORIZON, GAP)),
        "sampling": (sampling, used),
        "perturbation_error": (rf"{_times(d.pl_error)}L\gamma^2S_E", (L, STEP, level)),
        "perturbation_bias": (rf"{_times(d.pl_bias)}\gamma S_B", (STEP, bias)),
    }


_MEANINGS = {
    "optimisation": "what is left of the initial gap",
    "sampling": "what the sampling noise of the gradients adds",
    "perturbation_error": "what the perturbations add through the error E‖ũ−u‖² of the gradient",
    "perturbation_bias": "what the perturbations add through the bias ‖E[ũ−u]‖² of the gradient",
}
_QUANTITIES = {"nonconvex": NONCONVEX, "pl": PL}


def _source(captures: Captures) -> str:
    d = FAMILIES[captures["family"]].descent
    return d.nonconvex_source if captures["regime"] == "nonconvex" else d.pl_source


def _conditions(captures: Captures) -> tuple[str, ...]:
    k = FAMILIES[captures["family"]].descent.limit
    name = "1/L" if k == 1 else f"1/({k}L)"
    pl = ("A4: the PL inequality with μ = `loss.pl`",) if captures["regime"] == "pl" else ()
    caution = FAMILIES[captures["family"]].caution
    return (
        f"plain SGD with a fixed step γ ≤ {name}",
        "A1 and A2: ∇ℓ is L-Lipschitz, the sampled gradient unbiased with variance at most σ²",
        *pl,
        *((caution,) if caution else ()),
    )


def term(captures: Captures, graph: OperatorGraph | None) -> Entry:
    """One term of one bound."""
    del graph
    name = captures["term"]
    d = FAMILIES[captures["family"]].descent
    formula, inputs = (_nonconvex(d) if captures["regime"] == "nonconvex" else _pl(d))[name]
    return Entry(
        f"a term of the {captures['family']} bound: {_MEANINGS[name]}",
        formula=formula,
        relation="=",
        source=_source(captures),
        inputs=inputs,
        kind="bound",
        conditions=_conditions(captures),
    )


def _term_inputs(base: str, names: tuple[str, ...]) -> tuple[Input, ...]:
    return tuple(
        Input(rf"t_{{{k}}}", f"the term {name}", path=f"{base}.terms.{name}")
        for k, name in enumerate(names, 1)
    )


def bound(captures: Captures, graph: OperatorGraph | None) -> Entry:
    """The sum of the terms."""
    del graph
    base = f"rate.{captures['regime']}.{captures['family']}"
    return Entry(
        f"the {captures['family']} bound for the spec's step size and horizon",
        _QUANTITIES[captures["regime"]],
        "t_{1}+t_{2}+t_{3}+t_{4}",
        _source(captures),
        _term_inputs(base, tuple(_MEANINGS)),
        "bound",
        conditions=_conditions(captures),
    )


def split(captures: Captures, graph: OperatorGraph | None) -> Entry:
    """Three parts of the bound."""
    del graph
    part = captures["part"]
    base = f"rate.{captures['regime']}.{captures['family']}"
    names = (part,) if part in _MEANINGS else ("perturbation_error", "perturbation_bias")
    inputs = _term_inputs(base, names)
    return Entry(
        f"a part of the {captures['family']} bound, one of three: {part}",
        formula="+".join(x.symbol for x in inputs),
        relation="=",
        source=_source(captures),
        inputs=inputs,
        kind="bound",
    )


def limit(captures: Captures, graph: OperatorGraph | None) -> Entry:
    """1/(kL)."""
    del graph
    k = FAMILIES[captures["family"]].descent.limit
    return Entry(
        "the largest step size for which the statement holds",
        r"\gamma",
        rf"\frac{{1}}{{{_times(k)}L}}",
        _source(captures),
        (L,),
        "limit",
        number=lambda results, at: _rate(results, at).step_size_limit,
    )


def best_step(captures: Captures, graph: OperatorGraph | None) -> Entry:
    """A step that nearly minimises the bound."""
    del graph
    d, pl = FAMILIES[captures["family"]].descent, captures["regime"] == "pl"
    how = "found by a search" if pl else "the root of the derivative, or the limit"
    return Entry(
        f"a fixed step size that nearly minimises the bound for this horizon: {how}, rounded down",
        r"\gamma",
        "" if pl else _least(d),
        "docs/theory.md, Lemma 6.6",
        () if pl else (L, GAP, HORIZON, SIGMA, _nonconvex(d)["perturbation_error"][1][-1]),
        "limit",
        "=",
        conditions=("without noise and perturbations it is the limit",) * (not pl),
        number=lambda results, at: (_rate(results, at).best_step or (None, None))[0],
    )


def _least(d: Descent) -> str:
    """The step that minimises the nonconvex bound, cut at the limit."""
    level = r"\bar V" if d.splits_variance else r"\bar E"
    noise = rf"{_times(d.noise)}\sigma^2+{_times(d.error)}{level}"
    root = rf"\frac{{{_times(d.gap)}\Delta_0}}{{TL({noise})}}"
    return rf"\min\left\lbrace\frac{{1}}{{{_times(d.limit)}L}},\sqrt{{{root}}}\right\rbrace"


def best_bound(captures: Captures, graph: OperatorGraph | None) -> Entry:
    """The bound at that step."""
    del graph
    base = f"rate.{captures['regime']}.{captures['family']}"
    return Entry(
        f"the {captures['family']} bound at the step size best_step_size, all else as in the spec",
        _QUANTITIES[captures["regime"]],
        source=_source(captures),
        inputs=(Input(r"\gamma", "the best step", path=f"{base}.best_step_size"),),
        kind="bound",
        status=f"{base}.best_status",
        conditions=_conditions(captures),
    )


def _rate(results: Results, captures: Captures) -> Rate:
    from boundcalc.rates import rates

    found = results.once("rates", rates)
    table = found.nonconvex if captures["regime"] == "nonconvex" else found.pl
    return table[captures["family"]]


_AT = "rate.{regime}.{family}"

RATED: dict[str, Rule] = {
    f"{_AT}.terms.{{term}}": term,
    f"{_AT}.bound": bound,
    f"{_AT}.split.{{part}}": split,
    f"{_AT}.step_size_limit": limit,
    f"{_AT}.best_step_size": best_step,
    f"{_AT}.best_bound": best_bound,
    f"{_AT}.refused": Entry(
        "why the family makes no statement here; null where it does", kind="text"
    ),
    f"{_AT}.best_status": Entry("how far best_bound can be trusted", kind="text"),
    f"{_AT}.term_status.{{term}}": Entry("how far a term can be trusted", kind="text"),
    "rate.horizon": Entry("the number of steps T", inputs=(HORIZON,), kind="setting"),
    "rate.step_size": Entry("the step size γ", inputs=(STEP,), kind="setting"),
}
