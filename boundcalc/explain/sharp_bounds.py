"""The sharp bounds on one gradient: the statement, and the refinements, that gave a number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from boundcalc.explain import compiled_letters as letters
from boundcalc.explain.entry import Input, letter
from boundcalc.theories.perturbed.refinements import (
    CONDITIONAL,
    INDEPENDENCE,
    MEAN_CAP,
    ON_ALL_PASSES,
    SATURATION,
    SUPERPOSITION,
)

if TYPE_CHECKING:
    from boundcalc.graph import OperatorGraph
    from boundcalc.theories.perturbed.families import Bounds

_PAGE = "docs/theory.md"
A3 = "A3: the constants of the operators hold on the region that the passes visit"
_ALL_PASSES = "A3 holds on the states of partly perturbed passes as well, (A3+) in docs/theory.md"
_FORWARD = "E[δ | all that was computed before it] = 0 for every forward perturbation"
_BACKWARD = (
    "E[ε | the forward pass and all that was passed back before it] = 0 for every backward "
    "perturbation"
)
#: Refinement → where it is proved, and what else it supposes.
_REFINED = {
    SATURATION: ("Lemma 4.11", ""),
    MEAN_CAP: ("Lemma 4.4", ""),
    INDEPENDENCE: ("Theorem 4.13", "forward perturbations are independent of each other"),
    CONDITIONAL: (
        "Theorem 4.14",
        "conditional moments of forward perturbations are bounded almost surely",
    ),
    SUPERPOSITION: ("Theorems 4.17 and 4.18", ""),
}
#: Those that an error bound can be made smaller by; all others are about means.
_ON_ERRORS = frozenset({SATURATION})
#: Statements with squares in place of sizes, as they begin in ``compile.form``: passes.
_CENTRED = {
    "conditionally zero-mean": (True, True),
    "zero-mean forward": (True, False),
    "zero-mean backward": (False, True),
}

_OF = "of operator v"
_SECOND = f"by the recurrences along the graph, {_PAGE}, Theorem 4.7, (4g)"
_MEANS = f"by the recurrences along the graph, {_PAGE}, Theorem 4.8, (4g)"
_B = letter("b_v", f"largest norm of the Jacobian in the weights, {_OF}")
_V = letter("V_v", f"bound on the gradient in the output {_OF}, {_SECOND}")
_R = letter("R_v", f"error of what is passed back to v that forward perturbations cause, {_SECOND}")
_H = letter("h_v", f"the same for backward perturbations, {_SECOND}")
_D = letter("D^w_v", f"change of the Jacobian in the weights, {_OF}, {_PAGE}, (4f)")
_GROUP = letter("g", "a group of operators with the same weights")
_MEMBER = letter("v", "an operator of the group")
_BETA = letter(r"\beta_v", f"mean of what R_v bounds, {_MEANS}")
_NU = letter(r"\nu_v", f"mean of what h_v bounds, {_MEANS}")
_M = letter("M^w_v", f"mean change of the Jacobian in the weights, {_OF}, {_MEANS}")
_W = letter("W_v", f"mean square of what backward perturbations cause, {_PAGE}, Theorem 4.9 (b)")
_W_I = letter("W_i", f"mean square of what backward perturbations cause, {_PAGE}, Theorem 4.3 (b)")

_Rows = tuple[str, tuple[Input, ...]]
_CHAIN: dict[str, _Rows] = {
    "error": (r"(b_ir_i+B_iV_is_{i-1})^2", letters.SHARP["error"]),
    "centred": (
        r"\bigl((b_iR_i+B_iV_is_{i-1})^2+b_i^2W_i\bigr)",
        (letters.B_I, letters.BY_FORWARD, letters.B_BIG, letters.BACKWARD, letters.FORWARD, _W_I),
    ),
    "bias": (
        r"(b_i(\beta_i+\nu_i)+B_is_{i-1}R_i+V_i(B_i\mu_{i-1}+\tfrac12B'_is_{i-1}^2))^2",
        letters.SHARP["bias"],
    ),
}
_GRAPH: dict[str, _Rows] = {
    "error": (
        r"\Bigl(\sum_{v\in g}(b_v(R_v+h_v)+D^w_vV_v)\Bigr)^2",
        (_GROUP, _MEMBER, _B, _R, _H, _D, _V),
    ),
    "centred": (
        r"\Bigl(\bigl(\sum_{v\in g}(b_vR_v+D^w_vV_v)\bigr)^2"
        r"+\bigl(\sum_{v\in g}b_v\sqrt{W_v}\bigr)^2\Bigr)",
        (_GROUP, _MEMBER, _B, _R, _D, _V, _W),
    ),
    "bias": (
        r"\Bigl(\sum_{v\in g}(b_v(\beta_v+\nu_v)+D^w_vR_v+V_vM^w_v)\Bigr)^2",
        (_GROUP, _MEMBER, _B, _BETA, _NU, _D, _R, _V, _M),
    ),
}


@dataclass(frozen=True)
class Stated:
    """What a number rests on.

    Attributes
    ----------
    row
        LaTeX of what one operator, or one group of shared weights, adds.
    outer
        The sum over them.
    source, inputs, conditions
        As in :class:`~boundcalc.explain.entry.Entry`.
    refined
        Words: which refinements made the number smaller than the formula's value.
    """

    row: str
    outer: str
    source: str
    inputs: tuple[Input, ...]
    conditions: tuple[str, ...]
    refined: str = ""

    @property
    def formula(self) -> str:
        """The whole sum."""
        return self.outer + self.row


def at_hand(graph: OperatorGraph | None) -> Bounds | None:
    """The bounds at the spec's levels, or None."""
    if graph is None:
        return None
    from boundcalc.theories.perturbed.coefficients import coefficients

    return coefficients(graph, "sharp").bounds


def stated(
    group: str, graph: OperatorGraph | None, *, plain: bool = False, bounds: Bounds | None = None
) -> Stated:
    """The statement behind a bound, or behind the coefficients where there are no bounds.

    Parameters
    ----------
    group
        ``error`` or ``bias``.
    graph
        None where only the general text can be given.
    plain
        Whether it is the one without zero means and refinements.
    bounds
        The bounds at hand: their form and refinements say what was used.
    """
    on_chain = graph is None or graph.is_smooth_chain
    rows, outer = (_CHAIN, r"\sum_i") if on_chain else (_GRAPH, r"\sum_g")
    forward, backward = _centred(bounds, plain)
    key = "centred" if group == "error" and backward else group
    row, inputs = rows[key]
    refinements = () if plain or bounds is None else _used(group, bounds)
    theorem = _theorem(group, graph, forward or backward)
    source = f"{_PAGE}, {theorem}"
    refined = ""
    if refinements:
        source += ", refined by " + _joined(refinements, lambda r: f"{r} ({_REFINED[r][0]})")
        refined = _joined(refinements, str)
    conditions = [A3]
    conditions += [_FORWARD] if forward else []
    conditions += [_BACKWARD] if backward else []
    conditions += [_REFINED[name][1] for name in refinements if _REFINED[name][1]]
    conditions += [_ALL_PASSES] if ON_ALL_PASSES.intersection(refinements) else []
    return Stated(row, outer, source, inputs, tuple(conditions), refined)


def _centred(bounds: Bounds | None, plain: bool) -> tuple[bool, bool]:
    if plain or bounds is None:
        return False, False
    return next(
        (passes for words, passes in _CENTRED.items() if bounds.form.startswith(words)),
        (False, False),
    )


def _theorem(group: str, graph: OperatorGraph | None, centred: bool) -> str:
    chain = graph is None or graph.is_chain
    second, zero, means = ("4.1", "4.3", "4.2") if chain else ("4.7", "4.9", "4.8")
    found = f"Theorem {zero if centred else second}"
    if group == "bias":
        found = f"Theorem {means}" + (f" with Theorem {zero}" if centred else "")
    kinks = graph is not None and not graph.smooth
    return f"{found}, kinks as in section 4.8" if kinks else found


def _used(group: str, bounds: Bounds) -> tuple[str, ...]:
    if group == "bias":
        return bounds.refinements
    return tuple(name for name in bounds.refinements if name in _ON_ERRORS)


def _joined(names: tuple[str, ...], text: Callable[[str], str]) -> str:
    *rest, last = map(text, names)
    return f"{', '.join(rest)} and {last}" if rest else last
