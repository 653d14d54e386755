"""Simulation never exceeds the sharp bounds: random graphs, exact expectations.

As test_domination does for chains; here graphs branch, join, share weights, read one operator
twice, have kinks and merged runs, and the noise may depend on all that was drawn before it.
"""

import numpy as np
import pytest
from outcomes import dependent_law, exact_moments, independent_law
from random_graphs import random_spec, random_weights
from triple import WITH_TRIPLE

import boundcalc as bc
from boundcalc.arithmetic import WIDE
from boundcalc.simulate.noise import make_noise
from boundcalc.simulate.program import make_program
from boundcalc.theories.perturbed import sharp

ROUNDING = 1e-9
COMPONENTS = 9  # of all perturbations together: 2^9 outcomes


def two_point(rng):
    """One law at a site, or two."""
    centred = rng.random() < 0.6
    for _ in range(1 + (rng.random() < 0.15)):
        size = 10 ** rng.uniform(-2.5, 0.3)
        if centred:
            yield f"magnitude: {size:.6f}"
        else:
            high = size * rng.uniform(0, 3)
            yield f"low: {-size:.6f}, high: {high:.6f}, p_high: {rng.integers(1, 8)}/8"


def of_size(rng):
    """Only the largest size counts: the law itself is replaced."""
    yield f"magnitude: {10 ** rng.uniform(-2.5, 0.3):.6f}"


def random_graph(rng, *, kinks, laws):
    """A graph that is no chain, with at most :data:`COMPONENTS` noisy components; its spec."""
    while True:
        size, sites = int(rng.integers(2, 8)), int(rng.integers(2, 10))
        text = random_spec(rng, size=size, kinks=kinks, sites=sites, laws=laws)
        graph = bc.build(bc.loads(text), operators=WITH_TRIPLE)
        noisy = sum(p.size for p in make_noise(graph).perturbations)
        if not graph.is_chain and 0 < noisy <= COMPONENTS:
            return graph, text


def worst_ratios(count, seed, *, kinks, forward=None, backward=None):
    """The largest observed/bound of error and bias; fails where one is above 1.

    Parameters
    ----------
    forward, backward
        None for independent noise at the levels that the graph itself has.  Else dependent
        noise, of mean zero given the past in the passes for which this is True.
    """
    rng = np.random.default_rng(seed)
    worst = {"error": 0.0, "bias": 0.0}
    for _ in range(count):
        graph, text = random_graph(rng, kinks=kinks, laws=two_point if forward is None else of_size)
        program, c = make_program(graph), graph.graph_constants(WIDE)
        if forward is None:
            law, levels = independent_law(graph, rng), graph.levels(WIDE)
            centred = {"forward": levels.forward_centred, "backward": levels.backward_centred}
        else:
            centred = {"forward": forward, "backward": backward}
            law = dependent_law(graph, rng, **centred)
            levels = law.levels(graph)
        second = sharp.centred(c, levels, WIDE, **centred)
        mean = sharp.means(c, levels, second, WIDE, capped=True)
        for _ in range(3):
            w = random_weights(graph, program, rng)
            error, bias, scale = exact_moments(graph, program, w, law)
            zero = 1e-12 * (1 + scale)
            for name, observed, bound in (
                ("error", error.max(), float(second.total())),
                ("bias", bias.max(), float(mean.total())),
            ):
                limit = np.sqrt(bound) * (1 + ROUNDING) + zero
                assert np.sqrt(observed) <= limit, f"{name} {observed} > {bound} on\n{text}"
                if bound > (1e6 * zero) ** 2:
                    worst[name] = max(worst[name], observed / bound)
    return worst


FORMS = {
    "independent": {},
    "dependent": {"forward": False, "backward": False},
    "zero mean": {"forward": True, "backward": True},
    "zero mean forward": {"forward": True, "backward": False},
    "zero mean backward": {"forward": False, "backward": True},
}


@pytest.mark.parametrize("kinks", [False, True])
@pytest.mark.parametrize("form", FORMS)
def test_sharp_dominates_on_random_graphs(form, kinks):
    worst = worst_ratios(15, seed=1, kinks=kinks, **FORMS[form])
    assert worst["error"] > 0.2  # not vacuous


@pytest.mark.long
@pytest.mark.parametrize("kinks", [False, True])
@pytest.mark.parametrize("form", FORMS)
def test_sharp_dominates_on_thousands_of_random_graphs(form, kinks):
    worst = worst_ratios(300, seed=2, kinks=kinks, **FORMS[form])
    assert worst["error"] > 0.9
    assert worst["bias"] > 0.9
