"""The lines on the figures: sharp floors, and laws read from specs."""

from math import sqrt

import numpy as np
import pytest
from synthetic_settings import setting

import boundcalc as bc
from boundcalc.experiments.figure_6 import closed_form
from boundcalc.experiments.floors import floor
from boundcalc.experiments.laws import law_of, plateau
from boundcalc.experiments.running import spec_file
from boundcalc.sweeps import override


def graph_of(name, **values):
    changes = {path.replace("__", "."): value for path, value in values.items()}
    return bc.build(override(bc.load(spec_file(name)), changes))


def graph_with(name, changes):
    return bc.build(override(bc.load(spec_file(name)), changes))


class TestFloors:
    def test_without_perturbations_it_is_the_sampling_noise(self):
        # √(Lγσ²), σ² = d·σ_n², L = 0.3
        graph = graph_of("figure-3", symbols__gamma="1/5")
        assert floor(graph).value == pytest.approx(sqrt(0.3 * 0.2 * 10 * 1e-6), rel=1e-12)
        assert floor(graph).bias == 0

    def test_backward_noise_enters_with_the_step_size_and_averages_over_the_batch(self):
        graph = graph_of("figure-3", symbols__gamma="1/5", symbols__sigma_b="2")
        b = max(np.linalg.norm(graph.data.features, axis=1))
        # ζ² = b²·E ε², E ε² = σ_b²/(3d); over M = 2000 independent draws ζ²/M
        zeta = b**2 * 4 / 30
        expected = sqrt(0.3 * 0.2 * (1e-5 + zeta / 2000))
        assert floor(graph).value == pytest.approx(expected, rel=1e-3)
        assert floor(graph).bias == 0

    def test_a_shared_draw_does_not_average(self):
        changes = {"symbols.sigma_b": 2, "perturbations[1].draw": "per_batch"}
        each = floor(graph_with("figure-3", {"symbols.sigma_b": 2})).value
        shared = floor(graph_with("figure-3", changes)).value
        b = max(np.linalg.norm(graph_of("figure-3").data.features, axis=1))
        assert shared == pytest.approx(sqrt(0.3 * 0.02 * (1e-5 + b**2 * 4 / 30)), rel=1e-3)
        assert shared > 10 * each

    def test_forward_bias_is_of_second_order(self):
        values = [floor(graph_of("figure-3", symbols__sigma_f=s)).bias for s in ("1/2", "1")]
        assert values[1] == pytest.approx(4 * values[0], rel=1e-9)

    def test_rare_perturbations_count_with_their_share(self):
        every = [floor(graph_with("figure-7", {"perturbations[0].every": k})) for k in (1, 4)]
        assert every[1].bias == pytest.approx(every[0].bias / 2, rel=1e-9)

    def test_a_step_size_above_the_limit_has_none(self):
        found = floor(graph_of("figure-3", symbols__gamma="4"))
        assert found.value is None
        assert "step" in found.refused

    def test_a_spec_without_constants_has_none_and_says_why(self):
        found = floor(graph_of("figure-9"))
        assert found.value is None
        assert found.refused

    def test_it_is_attained_where_the_bias_is_constant(self):
        # A.2: |∇f| → 2δ = 1/2; ζ² = 1/4 enters with Lγ = 1/5 as well
        found = floor(graph_with("appendix-a2", {"symbols.std": 0}))
        assert found.bias == pytest.approx(0.5)
        assert found.value == pytest.approx(sqrt(0.25 + 0.2 * 0.25))


class TestLaws:
    def test_a_spec_is_read(self):
        changes = {"symbols.sigma_f": 2, "symbols.sigma_b": 1, "symbols.gamma": "1/5"}
        law = law_of(graph_with("figure-3", changes))
        assert (law.step, law.noise, law.strength, law.kind) == (0.2, 0.001, 0.001, "nonconvex")
        assert law.half_width == pytest.approx(2 / sqrt(10))
        assert law.back_mean == 0.0
        assert law.back_variance == pytest.approx(1 / 30)
        assert not law.shared
        assert law.every == 1

    def test_a_backward_mean_is_read(self):
        law = law_of(graph_of("figure-6-nonconvex", symbols__sigma_b="1"))
        assert law.back_mean == pytest.approx(1 / (2 * sqrt(10)))
        assert law.back_variance == pytest.approx(1 / 120)
        assert law.half_width == 0.0

    def test_an_interval_and_a_shared_draw_are_read(self):
        changes = {"perturbations[0].every": 8, "perturbations[0].draw": "per_batch"}
        law = law_of(graph_with("figure-7", changes))
        assert (law.every, law.shared) == (8, True)

    def test_slopes_are_those_of_the_margin(self):
        graph = graph_of("figure-3")
        law = law_of(graph)
        node = graph.nodes[0].operator
        w = np.arange(1.0, 11.0)
        margins = node.forward(graph.data.features[None], w[None], graph.data.labels[None])
        assert margins[0, :, 0] == pytest.approx(law.slopes @ w)

    @pytest.mark.parametrize(
        ("name", "changes"),
        [
            ("figure-9", {}),
            ("figure-3", {"training.optimizer": "heavy_ball"}),
            ("figure-3", {"training.clip": 1}),
            ("figure-3", {"symbols.sigma_f": 1, "perturbations[0].steps": [3]}),
            ("figure-3", {"symbols.sigma_f": 1, "perturbations[0].probability": "1/2"}),
            (
                "figure-3",
                {"symbols.sigma_f": 1, "symbols.sigma_b": 1, "perturbations[0].every": 2},
            ),
            (
                "figure-3",
                {
                    "perturbations[0]": {
                        "at": "margin",
                        "pass": "forward",
                        "model": "gaussian",
                        "std": 1,
                    }
                },
            ),
            ("figure-7", {"perturbations[0].pass": "backward", "perturbations[0].at": "loss",
                          "perturbations[0].model": "two_point"}),
        ],
    )  # fmt: skip
    def test_other_runs_have_no_law(self, name, changes):
        if changes.get("perturbations[0].model") == "two_point":
            changes = {
                "perturbations[0]": {
                    "at": "loss",
                    "pass": "backward",
                    "model": "two_point",
                    "magnitude": 1,
                }
            }
        assert law_of(graph_with(name, changes)) is None
        assert plateau(graph_with(name, changes)) is None

    def test_the_plateau_of_a_backward_mean_has_a_closed_form(self):
        for name in ("figure-6-nonconvex", "figure-6-strongly-convex"):
            graph = graph_of(name, symbols__sigma_b="1/5")
            made = setting([1.0, 1.0], sigma_b=0.2)
            made.__dict__["graph"] = graph
            assert closed_form(made) == pytest.approx(plateau(graph).limit, rel=1e-9)

    def test_a_backward_mean_beyond_the_slope_has_no_plateau(self):
        assert plateau(graph_of("figure-6-nonconvex", symbols__sigma_b="2")) is None
        assert plateau(graph_of("figure-6-strongly-convex", symbols__sigma_b="2")) is not None
