r"""Distributed SGD with compression or signs under (L₀, L₁)-smoothness."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from boundcalc.arithmetic import Number, Scalar
from boundcalc.explain.distributed_letters import LETTERS
from boundcalc.explain.entry import Captures, Compute, Entry, Input, Rule
from boundcalc.explain.statements import stated
from boundcalc.theories.distributed import wording
from boundcalc.theories.distributed.statements import Problem, largest_product, problem_in
from boundcalc.theories.numbers import best_number
from boundcalc.theories.registry import theory_named
from boundcalc.theories.values import Statement

if TYPE_CHECKING:
    from boundcalc.graph import OperatorGraph

_PAGE = "docs/theory-distributed.md"


def _number(formula: Callable[[Problem], Scalar]) -> Compute:
    def compute(graph: OperatorGraph, at: Captures) -> Number:
        del at
        section = theory_named("distributed").own(graph.spec)
        return best_number(
            lambda kind: formula(problem_in(graph, section, kind)), size=section.size
        )

    return compute


def _theta(p: Problem) -> Scalar:
    """θ of γ_k = θ·s_k·q(‖∇f‖)."""
    return largest_product(p) if p.schedule.type == "normalised" else p.step


def _largest(p: Problem) -> Scalar:
    """γ̄ ≥ γ_k/s_k."""
    if p.schedule.type == "normalised":
        return largest_product(p) / p.setting.L0
    return p.step / p.offset if p.schedule.type == "inverse_norm" else p.step


def _mean_scale(p: Problem) -> Scalar:
    s = p.setting
    return s.kind.number(0) if s.sigma_max is None else s.average(s.sigma_max)


GAP = Input("S_0", "initial gap f(x₀) − f*", spec="loss.initial_gap")
ETA = Input(r"\eta", "step size", spec="training.step_size")
L0 = Input(
    "L_0",
    "smoothness where the gradient vanishes",
    "distributed.L0",
    compute=_number(lambda p: p.setting.L0),
)
L1 = Input(
    "L_1",
    "how smoothness grows with the gradient",
    "distributed.L1",
    compute=_number(lambda p: p.setting.L1),
)
EPSILON = Input(
    r"\epsilon",
    "share of the largest step",
    "distributed.epsilon",
    compute=_number(lambda p: p.setting.epsilon),
)
THETA = Input(r"\theta", "γ_k = θ s_k q(‖∇f‖)", compute=_number(_theta))
LARGEST = Input(r"\bar\gamma", "no step γ_k/s_k is larger", compute=_number(_largest))
SIZE = Input(
    "d",
    "number of components",
    compute=_number(lambda p: p.setting.kind.number(p.setting.dimension)),
)
SCALE = Input(
    r"\bar\sigma",
    "mean of the agents' largest scales",
    "distributed.sigma_max",
    compute=_number(_mean_scale),
)


def _of(rule: str, key: str, symbol: str, meaning: str) -> Input:
    return Input(symbol, meaning, path=f"rate.distributed.statements.{rule}.{key}")


def _compressed(rule: str) -> dict[str, Input]:
    return {
        "A": _of(rule, "A", "A", "relative variance of the average that arrives"),
        "B": _of(rule, "B", "B'", "its variance where the gradient vanishes"),
        "psi": _of(rule, "psi", r"\psi", "what one step may cost, exponentially"),
        "c": _of(rule, "c", "c", "γ_k(L₀+L₁‖∇f‖) ≤ c s_k"),
        "phi_1": _of(rule, "phi_1", r"\Phi^1", "Σ s_k"),
        "phi_2": _of(rule, "phi_2", r"\Phi^2", "Σ s_k²"),
    }


_SLACK = r"(1-\frac{1}{2}\psi c(1+A))\theta\Phi^1"
_SIGNS = r"c_\nu\Sigma_1-\frac{1}{2}\psi dL_1\Sigma_2"

Formula = tuple[str, tuple[Input, ...]]


def _terms(rule: str) -> dict[str, Formula]:
    if rule == "sign":
        psi = _of(rule, "psi", r"\psi", "what one step may cost")
        drift = _of(rule, "c_nu", r"c_\nu", "least drift per unit of signal-to-noise")
        first = _of(rule, "sum_of_steps", r"\Sigma_1", "Σ γ_k")
        second = _of(rule, "sum_of_squared_steps", r"\Sigma_2", "Σ γ_k²")
        below = (drift, first, psi, SIZE, L1, second)
        top = r"\frac{1}{2}\psi d(L_0+\frac{1}{4}L_1d\bar\sigma)\Sigma_2"
        return {
            "initial_gap": (rf"\frac{{S_0}}{{{_SIGNS}}}", (GAP, *below)),
            "noise": (rf"\frac{{{top}}}{{{_SIGNS}}}", (*below, L0, SCALE)),
        }
    c = _compressed(rule)
    if rule == "discrete":
        under = (c["psi"], c["c"], c["A"], THETA, c["phi_1"])
        top = r"\frac{1}{2}\psi B'c\bar\gamma\Phi^2"
        return {
            "initial_gap": (rf"\frac{{S_0}}{{{_SLACK}}}", (GAP, *under)),
            "noise": (rf"\frac{{{top}}}{{{_SLACK}}}", (*under, c["B"], LARGEST, c["phi_2"])),
        }
    return {
        "initial_gap": (
            r"\frac{\eta(1+A)S_0}{2\epsilon(1-\epsilon)\Phi^1}",
            (ETA, c["A"], GAP, EPSILON, c["phi_1"]),
        ),
        "noise": (
            r"\frac{\epsilon B'\Phi^2}{(1-\epsilon)L_0(1+A)\Phi^1}",
            (EPSILON, c["B"], c["phi_2"], L0, c["A"], c["phi_1"]),
        ),
    }


def _statement(rule: str, graph: OperatorGraph | None) -> Statement:
    """The statement with its numbers, or for the normalised schedule."""
    found = stated(graph).get(rule)
    if found is not None:
        return found
    usual: Any = SimpleNamespace(
        steps=SimpleNamespace(type="normalised"), gradient_bound=None, omega=None
    )
    made = wording.words(usual, rule)
    return Statement(
        rule, made.title, made.quantity, made.formula, None, made.source, conditions=made.conditions
    )


def _rule(at: Captures, graph: OperatorGraph | None) -> str:
    """The statement of a path; of one that names none the first that is made."""
    if "rule" in at:
        return at["rule"]
    return next((key for key, s in stated(graph).items() if s.bound is not None), "discrete")


def bound(at: Captures, graph: OperatorGraph | None) -> Entry:
    """The right side of a statement."""
    rule = _rule(at, graph)
    inputs = tuple(
        Input(
            rf"t_{{{k}}}",
            f"the term {name}",
            path=f"rate.distributed.statements.{rule}.terms.{name}",
        )
        for k, name in enumerate(_terms(rule), 1)
    )
    found = _statement(rule, graph)
    return Entry.of(f"the bound of the statement: {found.title}", found, inputs)


def term(at: Captures, graph: OperatorGraph | None) -> Entry:
    """One term of a statement."""
    rule = _rule(at, graph)
    formula, inputs = _terms(rule)[at["term"]]
    found = _statement(rule, graph)
    return Entry.part(f"a term of the bound of {found.title}: {at['term']}", found, formula, inputs)


_CONSTANTS = {
    "A": (
        "A, the relative variance of the average that arrives",
        "",
        "12.3",
    ),
    "B": ("B′, the variance of the average that arrives where the gradient vanishes", "", "12.3"),
    "omega": ("the mean compression ω of the agents", "", "12.3"),
    "psi": (
        "ψ, what one step may cost under (L₀, L₁)-smoothness",
        r"\frac{2(e^u-1-u)}{u^2}",
        "12.1",
    ),
    "c": ("c with γ_k(L₀+L₁‖∇f‖) ≤ c s_k", "", "12.5"),
    "phi_1": ("Φ¹, the sum of the schedule's decay s_k", r"\sum_ks_k", "12.5"),
    "phi_2": ("Φ², the sum of s_k²", r"\sum_ks_k^2", "12.5"),
    "c_nu": ("c_ν, the least drift of a sign per unit of signal-to-noise", r"2\Xi_\nu(1)", "12.7"),
    "l_nu": (
        "ℓ_ν, the slope of a secant up to `distributed.snr`",
        r"\frac{2\Xi_\nu(s)}{s}",
        "12.7",
    ),
    "M_nu": ("M_ν, the noise's largest density", r"\sup\Xi_\nu'", "12.7"),
    "sigma_H": ("σ_H, the harmonic mean of the agents' scales", "", "12.8"),
    "K": ("K of the step condition, with the correction", "", "12.8"),
    "K_classic": ("K of the step condition, classic", "", "12.8"),
    "sum_of_steps": ("the sum of the steps", r"\sum_k\gamma_k", "12.8"),
    "sum_of_squared_steps": ("the sum of the squared steps", r"\sum_k\gamma_k^2", "12.8"),
}
_KINDS = {"12.1": "Lemma", "12.3": "Lemma", "12.7": "Lemma"}
_WORDS = {
    "algorithm": "the algorithm: dsgd, dcsgd or dsignsgd",
    "schedule": "how the steps are chosen",
    "statement": "which statement `bound` and `terms` are of",
    "step_size_limit_note": "where the gradient of the step limit is from, and what is missing",
}
_BUDGET = {
    "statement": ("which statement is inverted", "text"),
    "target": ("what the bound may be", "value"),
    "bound": ("the bound of the spec", "bound"),
    "omega_max": ("the largest compression ω of all agents", "limit"),
    "sigma0_max": ("the largest noise σ₀ of all agents", "limit"),
    "sigma1_max": ("the largest noise σ₁ of all agents", "limit"),
    "sigma_max_max": ("the largest scale of all agents' noise", "limit"),
    "agents_min": ("the smallest number of agents", "value"),
    "omega_max_at_step": (
        "the compression below which the step condition admits the step",
        "limit",
    ),
}


def number(at: Captures, graph: OperatorGraph | None) -> Entry:
    """A constant of a statement, or a word about it."""
    del graph
    key = at["key"]
    if key in _WORDS:
        return Entry(_WORDS[key], kind="text")
    words, formula, place = _CONSTANTS[key]
    kind = "limit" if key in ("c_nu", "l_nu") else "bound"
    source = f"{_PAGE}, {_KINDS.get(place, 'Theorem')} {place}"
    inputs = LETTERS.get(key, ())
    return Entry(words, formula=formula, relation="=", source=source, inputs=inputs, kind=kind)  # type: ignore[arg-type]


def limit(at: Captures, graph: OperatorGraph | None) -> Entry:
    """The limit of a step condition, or of a statement."""
    classic = at.get("which", "").startswith("_classic")
    words = "the largest η·η_k of the step condition" + (
        ", of the classic first-order equation" if classic else ", with the curvature's correction"
    )
    if "rule" in at:
        words = (
            "the largest step η for which the statement holds; null where the schedule takes none"
        )
    signs = (
        graph is not None and theory_named("distributed").own(graph.spec).algorithm == "dsignsgd"
    )
    plain = "rule" not in at and not classic
    formula = (_SIGN_LIMIT if signs else _LIMIT) if plain else ""
    inputs = _limit_inputs(at, signs=signs) if formula else ()
    source = f"{_PAGE}, section 12.3" if at.get("rule") != "sign" else f"{_PAGE}, Theorem 12.8"
    return Entry(words, r"\eta\eta_k" if formula else "", formula, source, inputs, "limit")


_LIMIT = r"\frac{2\epsilon}{(L_0+L_1g)(1+A)+L_1B'}"
_SIGN_LIMIT = r"\frac{\ell_\nu}{K}"


def _limit_inputs(at: Captures, *, signs: bool) -> tuple[Input, ...]:
    base = "compile.distributed"
    if signs:
        return (
            Input(r"\ell_\nu", "slope of a secant of the drift", path=f"{base}.l_nu"),
            Input("K", "K of the step condition", path=f"{base}.K"),
        )
    return (
        EPSILON,
        L0,
        L1,
        Input("g", "‖∇f‖ at which the limit is evaluated", path="rate.distributed.gradient"),
        Input("A", "relative variance of what arrives", path=f"{base}.A"),
        Input("B'", "its variance where the gradient vanishes", path=f"{base}.B"),
    )


def budget(at: Captures, graph: OperatorGraph | None) -> Entry:
    """A number of the budget."""
    del graph
    words, kind = _BUDGET[at["key"]]
    return Entry(words, source=f"{_PAGE}, Theorem 12.5", kind=kind)  # type: ignore[arg-type]


_STATEMENT = "rate.distributed.statements.{rule}"
DISTRIBUTED: dict[str, Rule] = {
    f"{_STATEMENT}.bound": bound,
    f"{_STATEMENT}.terms.{{term}}": term,
    f"{_STATEMENT}.step_size_limit": limit,
    f"{_STATEMENT}.{{key}}": number,
    "rate.distributed.bound": bound,
    "rate.distributed.terms.{term}": term,
    "rate.distributed.gradient": Entry(
        "the ‖∇f‖ at which the step limits are evaluated", source=f"{_PAGE}, section 12.3"
    ),
    "rate.distributed.cautions#": Entry("what a reader must know first", kind="text"),
    "{verb}.distributed.step_size_limit": limit,
    "{verb}.distributed.step_size_limit_classic": lambda at, graph: limit(
        {**at, "which": "_classic"}, graph
    ),
    "{verb}.distributed.{key}": number,
    "compile.distributed.conditions#": Entry(
        "a step condition (LaTeX)", source=f"{_PAGE}, section 12.3", kind="text"
    ),
    "compile.distributed.equations.{order}.{part}": Entry(
        "drift or covariance of the modified equation dX = drift dt + (covariance)^(1/2) dW",
        source=f"{_PAGE}, section 12.1",
        kind="text",
    ),
    "compile.distributed.equation_notes#": Entry(
        "what must be known to read the equations", kind="text"
    ),
    "budget.distributed.{key}": budget,
    "budget.distributed.notes.{key}": Entry(
        "why a number is missing, or where it is from", kind="text"
    ),
    "simulate.escape.radius": Entry("beyond this distance a run has escaped", kind="setting"),
    "simulate.escape.horizon": Entry("steps within which it was looked for", kind="count"),
    "simulate.escape.escaped": Entry("how many runs escaped", kind="count"),
    "simulate.escape.{key}": Entry(
        "where and when runs escaped; null if none did", kind="sampled", status="sampled"
    ),
}
