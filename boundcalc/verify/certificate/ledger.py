"""The assumptions of a certificate and its claims in words, from the numbers of its inputs.

The checker writes the same sentences by itself and compares.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

#: What each claim bounds; "level 0" is all perturbations acting.
CLAIMS = {
    "error": "E|u~ - u|^2, the mean squared gradient error of one sample in level 0",
    "bias": "|E(u~ - u)|^2, the squared gradient bias of one sample in level 0",
    "nonconvex": "(1/T) sum of E|grad l(w_t)|^2 over t = 0 .. T-1",
    "pl": "E l(w_T) - l*",
}

_OPERATORS = (
    "on convex sets that hold all inputs of f_v, exact and perturbed, for all samples: "
    "|grad_u f_v| <= a and f_v is l-Lipschitz in y_u, grad_u f_v is A-Lipschitz in each "
    "input, |grad_w f_v| <= b, grad_w f_v is B-Lipschitz in y_u, and the derivatives of "
    "both in the inputs are A3- and B3-Lipschitz in all inputs together"
)

_LEVELS = (
    "given weights and sample: root mean squares of forward and backward "
    "perturbations are at most e and eps, those of their means at most m and n, given the "
    "perturbed outputs before, and the forward pass and the backward perturbations before"
)


_PASSES = (
    "the convex sets hold the inputs, too, in passes without some of the forward perturbations"
)

#: Rules for which A3 must hold in passes without some of the perturbations, (A3+) of the theory.
PARTIAL = frozenset({"restart", "superposed", "superposed.sites", "superposed.rms"})


def ledger(data: dict[str, Any], rules: Iterable[str]) -> list[list[str]]:
    """Pairs of a short name and a sentence, from the inputs and the rules that are used."""
    found = [["A3", _OPERATORS], ["levels", _LEVELS]]
    if not PARTIAL.isdisjoint(rules):
        found.append(["A3+", _PASSES])
    for number, level in enumerate(data["levels"]):
        found += _of_level(number, level)
    if any(x is not None for o in data["operators"] for x in (*o["J"], o["K"])):
        text = "Jacobians with a null in A or B change by at most J or K"
        found.append(["kinks", text])
    if data["runs"]:
        text = (
            "norm bounds every product of Jacobians of the run; its operators are affine, or "
            "elementwise with slopes that norm allows for"
        )
        found.append(["runs", text])
    if data["loss"] is not None:
        found += _of_run(data["loss"])
    if data["measured"]:
        text = "some constants were measured on data and are not proved"
        found.append(["measured", text])
    return found


def _of_level(number: int, level: dict[str, Any]) -> list[list[str]]:
    found = []
    if set(level["m"]) <= {"0"}:
        found.append(["zero-mean", f"level {number}: forward conditional means are zero"])
    if all(x == "0" for row in level["n"] for x in row):
        found.append(["zero-mean", f"level {number}: backward conditional means are zero"])
    if any(x for e, x in zip(level["e"], level["dependence"], strict=True) if e != "0"):
        text = (
            f"level {number}: given weights, sample and all forward perturbations before, e and m "
            "bound the conditional moments of one with dependence 1; one with dependence 2 is "
            "independent of them"
        )
        found.append(["dependence", text])
    return found


def _of_run(loss: dict[str, Any]) -> list[list[str]]:
    found = [
        ["A1", f"grad l is {loss['smoothness']}-Lipschitz"],
        [
            "A2",
            "the exact gradient is unbiased, its standard deviation at most " + str(loss["sigma"]),
        ],
        [
            "run",
            f"l(w_0) - l* <= {loss['gap']}; {loss['horizon']} steps of size {loss['step']}; the "
            "levels act at as many steps, and at those steps, as the schedule says",
        ],
    ]
    if loss["batch"] > 1:
        text = (
            f"a step averages {loss['batch']} samples; given weights and samples their "
            "perturbations are independent"
        )
        found.append(["batch", text])
    if loss["pl"] is not None:
        found.append(["A4", f"|grad l|^2 >= 2 {loss['pl']} (l - l*)"])
    return found
