"""Appendices A.1, A.2 and A.3: closed forms, and verdicts that can say no."""

from dataclasses import replace
from fractions import Fraction

import mpmath
import pytest

from boundcalc.errata.top_one import BESIDE, MOMENTUM, ON_EIGENVECTOR, PLAIN
from boundcalc.experiments import appendix_a1, appendix_a2
from boundcalc.experiments.figure_9 import exact_norms


class TestA1:
    @pytest.mark.parametrize("a", [0.1, 1.0, 7.0])
    def test_closed_forms_are_integrals(self, a):
        def derivative(t):
            return mpmath.exp(-t) / (1 + mpmath.exp(-t)) ** 2

        pair = (derivative(a) + derivative(-a)) / 2
        assert appendix_a1.two_point(a) == pytest.approx(float(pair), rel=1e-14)
        mean = mpmath.quad(derivative, [-a, 0, a]) / (2 * a)
        assert appendix_a1.uniform(a) == pytest.approx(float(mean), rel=1e-13)

    def test_the_simulation_holds_them(self):
        found = appendix_a1.samples()
        assert len(found) == 10
        assert {f.status for f in appendix_a1.judged(found)} == {"holds"}

    def test_a_wrong_interval_is_seen(self):
        off = [replace(s, lo=s.exact * 1.01, hi=s.exact * 1.02) for s in appendix_a1.samples()]
        assert "does not hold" in {f.status for f in appendix_a1.judged(off)}

    def test_a_bound_below_the_bias_is_seen(self):
        off = [replace(s, bound=s.exact * 0.99) for s in appendix_a1.samples()]
        assert appendix_a1.judged(off)[1].status == "does not hold"


class TestA2:
    def test_the_closed_form_is_the_iteration(self):
        step, delta, w = Fraction(3, 10), Fraction(1, 7), Fraction(2)
        for t in range(8):
            assert appendix_a2.closed_form(step, delta, Fraction(2), t) == w
            w -= step * 2 * (w + delta)

    @pytest.mark.parametrize("step", [Fraction(1, 10), Fraction(3, 5), Fraction(9, 10)])
    def test_it_goes_to_minus_delta_below_one(self, step):
        end = appendix_a2.closed_form(step, Fraction(1, 4), Fraction(1), 300)
        assert abs(end + Fraction(1, 4)) < Fraction(1, 10**9)

    def test_not_at_one(self):
        assert appendix_a2.closed_form(Fraction(1), Fraction(1, 4), Fraction(1), 301) == -Fraction(
            3, 2
        )

    def test_the_simulation_holds_it_and_the_floor_is_attained(self):
        assert {f.status for f in appendix_a2.judged(appendix_a2.paths())} == {"holds"}

    def test_a_wrong_limit_is_seen(self):
        off = [replace(p, lo=p.exact + 1e-3, hi=p.exact + 2e-3) for p in appendix_a2.paths()]
        assert appendix_a2.judged(off)[0].status == "does not hold"
        off = [replace(p, bias=0.51) for p in appendix_a2.paths()]
        assert appendix_a2.judged(off)[1].status == "does not hold"


class TestA3:
    def test_on_the_eigenvector_one_step_lands_on_zero(self):
        norms = exact_norms(PLAIN, ON_EIGENVECTOR, 4, compressed=False)
        assert norms[0] == pytest.approx(10 * 2**0.5)
        assert norms[1:] == [0, 0, 0]

    def test_beside_it_every_step_multiplies_by_48(self):
        norms = exact_norms(PLAIN, BESIDE, 12, compressed=False)
        assert norms[11] / norms[10] == pytest.approx(48)

    def test_momentum_against_its_recurrence(self):
        w, before, beta, step = [1.0, 1.0], [1.0, 1.0], 0.9, 0.05
        expected = []
        for _ in range(30):
            g = [50 * w[0] + 5 * w[1], 5 * w[0] + 25 * w[1]]
            expected.append((g[0] ** 2 + g[1] ** 2) ** 0.5)
            sent = [g[0], 0.0] if abs(g[0]) >= abs(g[1]) else [0.0, g[1]]
            new = [w[i] - step * sent[i] + beta * (w[i] - before[i]) for i in range(2)]
            w, before = new, w
        found = exact_norms(MOMENTUM, ON_EIGENVECTOR, 30, compressed=True)
        assert found == pytest.approx(expected, rel=1e-9)
