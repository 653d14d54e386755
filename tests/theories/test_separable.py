"""Separable bounds: domination, and what is best for one profile or the worst of all."""

from __future__ import annotations

import itertools
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import boundcalc as bc
from boundcalc.arithmetic import WIDE, Number
from boundcalc.arithmetic.best import converted
from boundcalc.errors import BoundcalcError
from boundcalc.theories.perturbed import separable

F = Fraction

CHAIN = """
version: 1
name: chain
graph:
  operators:
    - {id: f1, constants: {jac_input: 0, jac_weight: 1, hess_input: 0, hess_mixed: 0, third_input: 0, third_mixed: 0}}
    - {id: f2, constants: {jac_input: 1/2, jac_weight: 2, hess_input: 3, hess_mixed: 1, third_input: 0, third_mixed: 0}}
    - {id: f3, constants: {jac_input: 3/2, jac_weight: 1, hess_input: 1, hess_mixed: 1/3, third_input: 0, third_mixed: 0}}
    - {id: f4, constants: {jac_input: 1, jac_weight: 0, hess_input: 1/5, hess_mixed: 0, third_input: 0, third_mixed: 0}}
perturbations:
  - {at: f1, pass: forward, rms: 1/3, mean: 0}
  - {at: f3, pass: backward, rms: 2, mean: 0}
"""  # noqa: E501 - one operator a line

GRAPH = CHAIN.replace("{id: f3,", "{id: f3, inputs: [f1],").replace(
    "{id: f4,", "{id: f4, inputs: [f2, f3],"
)

#: f3 passes nothing back: what reaches f1 and what reaches f3 and f4 do not meet.
BLOCKS = """
version: 1
name: blocks
graph:
  operators:
    - {id: f1, constants: {jac_input: 0, jac_weight: 1, hess_input: 0, hess_mixed: 0, third_input: 0, third_mixed: 0}}
    - {id: f2, constants: {jac_input: 0, jac_weight: 0, hess_input: 0, hess_mixed: 2, third_input: 0, third_mixed: 0}}
    - {id: f3, constants: {jac_input: 0, jac_weight: 1, hess_input: 0, hess_mixed: 0, third_input: 0, third_mixed: 0}}
    - {id: f4, constants: {jac_input: 1, jac_weight: 1, hess_input: 1, hess_mixed: 2, third_input: 0, third_mixed: 0}}
"""  # noqa: E501 - as above


def compiled(text: str) -> bc.Coefficients:
    return bc.coefficients(bc.build(bc.loads(text)), "sharp")


def gram(found: bc.Coefficients) -> list[list[F]]:
    matrix = found.gram()
    assert matrix is not None
    return [[F(entry.value) for entry in row] for row in matrix]


def is_psd(A: list[list[F]]) -> bool:
    """Exactly, by symmetric elimination: a zero pivot needs a zero row."""
    A = [row[:] for row in A]
    for k in range(len(A)):
        if A[k][k] < 0 or (A[k][k] == 0 and any(A[k][j] != 0 for j in range(k, len(A)))):
            return False
        for i in range(k + 1, len(A)):
            if A[k][k] != 0:
                factor = A[i][k] / A[k][k]
                A[i] = [x - factor * y for x, y in zip(A[i], A[k], strict=True)]
    return True


def dominates(D: dict[str, Any], found: bc.Coefficients) -> bool:
    """Whether diag(D) − G ≥ 0 over the sites that have a coefficient."""
    labels, G = found.gram_labels, gram(found)
    on = [k for k, label in enumerate(labels) if label in D]
    return is_psd([[(F(D[labels[j]].value) if j == k else F(0)) - G[j][k] for k in on] for j in on])


@pytest.mark.parametrize("text", [CHAIN, GRAPH, BLOCKS])
def test_minimax_dominates_and_is_the_spectral_radius(text: str) -> None:
    found = compiled(text)
    D, G = found.separable("minimax"), np.array(gram(found), dtype=float)
    assert D is not None
    assert all(number.status == "proved" for number in D.values())
    assert dominates(D, found)
    live = [k for k in range(len(G)) if G[k, k] > 0]
    assert set(D) == {found.gram_labels[k] for k in live}
    ratios = [float(D[found.gram_labels[k]].value) / G[k, k] for k in live]
    own = G[np.ix_(live, live)] / np.sqrt(np.outer(np.diag(G)[live], np.diag(G)[live]))
    assert max(ratios) == pytest.approx(np.linalg.eigvalsh(own)[-1], rel=1e-5)
    # a little less is no bound any more
    less = {name: Number(F(x.value) * F(999, 1000), x.status) for name, x in D.items()}
    assert not dominates(less, found)


def test_no_profile_on_a_grid_does_better() -> None:
    G = np.array(gram(compiled(CHAIN)), dtype=float)
    live = np.diag(G) > 0
    G = G[np.ix_(live, live)]
    scale = 1 / np.sqrt(np.diag(G))
    best = min(
        max((G @ t) / (t * np.diag(G)))
        for steps in itertools.product(range(-4, 5, 2), repeat=len(G) - 1)
        for t in [scale * 2.0 ** np.array([0, *steps])]
    )
    D = compiled(CHAIN).separable("minimax")
    assert D is not None
    largest = max(float(x.value) / g for x, g in zip(D.values(), np.diag(G), strict=True))
    assert largest <= best * (1 + 1e-6)
    assert best <= 1.3 * largest  # the grid comes near


@pytest.mark.parametrize("text", [CHAIN, GRAPH])
def test_a_profile_meets_the_bound_at_itself(text: str) -> None:
    found = compiled(text)
    labels, G = found.gram_labels, gram(found)
    levels = {label: F(k + 1, 3) for k, label in enumerate(labels)}
    D = found.separable(levels)
    assert D is not None
    live = [k for k in range(len(G)) if G[k][k] > 0]
    at = sum(F(D[labels[k]].value) * levels[labels[k]] ** 2 for k in live)
    z = [levels[label] for label in labels]
    assert at == sum(G[j][k] * z[j] * z[k] for j in range(len(G)) for k in range(len(G)))
    assert dominates(D, found)
    stated = {"forward:f1": "1/3", "backward:f3": 2}
    if text == CHAIN:
        assert {k: x.value for k, x in (found.separable(stated) or {}).items()} == {
            k: x.value for k, x in (found.separable("spec") or {}).items()
        }
        assert found.separable() == found.separable("spec")


def test_blocks_that_do_not_meet_keep_their_own_ratio() -> None:
    found = compiled(BLOCKS)
    D, G = found.separable("minimax"), gram(found)
    assert D is not None
    ratios = {
        label: F(D[label].value) / G[k][k]
        for k, label in enumerate(found.gram_labels)
        if label in D
    }
    assert min(ratios.values()) == 1  # a site that meets no other
    assert len(set(ratios.values())) > 1


def test_numbers_beyond_float64_are_reached() -> None:
    text = "version: 1\nname: large\ngraph:\n  uniform: {jac: 1000, lip: 1000, hess: 1, hess_op: 1, third: 1}\n  operators: [{id: f, repeat: 120}]\n"  # noqa: E501
    found = compiled(text)
    D = found.separable("minimax")
    assert D is not None
    graph = found.graph
    G = separable.gram(graph, WIDE)
    ratios = [converted(x.value, WIDE) / g for x, g in zip(D.values(), G.diagonal, strict=True)]
    assert float(max(ratios) / min(ratios)) < 1.001


@pytest.mark.parametrize(
    "profile", [{"forward:f9": 1}, {"forward:f1": -1}, {"forward:f1": "x"}, {"forward:f1": 1e400}]
)
def test_bad_profiles_are_refused(profile: dict[str, Any]) -> None:
    with pytest.raises(BoundcalcError, match="profile"):
        compiled(CHAIN).separable(profile)


def test_other_families_and_kinks_have_none() -> None:
    graph = bc.build(bc.loads(CHAIN))
    assert bc.coefficients(graph, "published").separable("minimax") is None
    assert compiled(BLOCKS).separable() is None  # no perturbation, no profile
