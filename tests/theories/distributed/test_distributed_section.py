"""The section, what noise and compression do to second moments, and the schedule's sums."""

import itertools
import math
from fractions import Fraction

import pytest
from theories.distributed import distributed_specs as specs

from boundcalc.arithmetic import INTERVALS, RATIONALS, WIDE
from boundcalc.errors import InexactError
from boundcalc.spec.loading import library_object
from boundcalc.theories.distributed.noise_model import Setting, setting_in
from boundcalc.theories.distributed.schedule_sums import sums
from boundcalc.theories.distributed.section import DistributedSection, ScheduleSection


def section(**keys):
    return library_object(DistributedSection, {**specs.COMPRESSED, **keys}, "distributed")


def setting(**keys) -> Setting:
    return setting_in(specs.graph(specs.COMPRESSED), section(**keys), RATIONALS)


def test_defaults():
    made = section()
    assert (made.steps.type, made.noise_kind, made.epsilon.source) == (
        "normalised",
        "gaussian",
        "1/2",
    )
    sign = library_object(DistributedSection, specs.SIGN, "distributed")
    assert (sign.steps.type, sign.noise_kind) == ("constant", "student")
    assert [part[0].source for part in sign.scale] == ["1", "0"]
    assert section(sigma1=1).noise_kind == "affine"


def test_rand_k_is_its_omega():
    d, k = 12, 5
    keys = {**specs.COMPRESSED, "dimension": d, "compressor": {"type": "rand_k", "k": k}}
    del keys["omega"]
    made = library_object(DistributedSection, keys, "distributed")
    assert setting_in(specs.graph(specs.COMPRESSED), made, RATIONALS).omega == (Fraction(d, k) - 1,)


def exact_second_moment(gradient, scales, k):
    """E‖ĝ‖² by listing every choice of components and signs of every agent."""
    d, agents = len(gradient), len(scales)
    total = count = Fraction(0)
    subsets = list(itertools.combinations(range(d), k))
    signs = list(itertools.product((-1, 1), repeat=d))
    for chosen in itertools.product(itertools.product(subsets, signs), repeat=agents):
        average = [Fraction(0)] * d
        for (kept, noise), scale in zip(chosen, scales, strict=True):
            for j in kept:
                average[j] += Fraction(d, k) * (gradient[j] + scale * noise[j]) / agents
        total += sum(x * x for x in average)
        count += 1
    return total / count


def test_second_moment_is_attained_by_rand_k():
    """E‖ĝ‖² = (1 + A)‖∇f‖² + B' exactly, for rand-k and noise of variance σ0² + σ1²‖∇f‖²."""
    gradient, d, k = (Fraction(3), Fraction(4)), 2, 1
    square = Fraction(25)
    for sigma0, sigma1, scales in (
        ([0, 0], [0, 0], [Fraction(0), Fraction(0)]),
        ([2, 5], [0, 0], [Fraction(2), Fraction(5)]),
        ([0, 0], [Fraction(1, 5), Fraction(2, 5)], [Fraction(1), Fraction(2)]),
        ([0, 4], [Fraction(1, 5), Fraction(3, 5)], [Fraction(1), Fraction(5)]),
    ):
        made = setting(
            agents=2,
            dimension=d,
            omega=Fraction(d, k) - 1,
            sigma0=list(map(str, sigma0)),
            sigma1=list(map(str, sigma1)),
        )
        expected = (1 + made.A) * square + made.B
        assert exact_second_moment(gradient, scales, k) == expected


def test_agents_that_differ_average():
    made = setting(agents=2, omega=[1, 3], sigma0=[2, 4], sigma1=["1/2", 0])
    # A = [2 + (1 + 1)/4/2]/2, B' = [2·4 + 4·16]/2/2
    assert (Fraction(2 + Fraction(1, 4)) / 2, Fraction(18)) == (made.A, made.B)


@pytest.mark.parametrize(
    ("nu", "cut", "factor"),
    [(None, None, 1), (4, None, 2), (4, 1, 1), (4, 3, 2), (2, None, None), (1, 3, 9), (None, 2, 1)],
)
def test_variance_factor(nu, cut, factor):
    keys = {"sigma0": 1, "nu": nu, "truncation": cut}
    made = setting(**{key: value for key, value in keys.items() if value is not None})
    assert made.variance_factor == factor
    assert (None if factor is None else Fraction(4 * factor, 8)) == made.B
    assert Fraction(3, 8) == made.A  # σ1 = 0: finite whatever the noise


@pytest.mark.parametrize("nu", [1.2, 3.0, None])
@pytest.mark.parametrize("cut", [0.7, 1.0, 2.5])
def test_cut_noise_has_at_most_that_variance(nu, cut):
    from scipy import integrate, stats

    law = stats.norm if nu is None else stats.t(nu)
    inside, _ = integrate.quad(lambda x: x * x * law.pdf(x), -cut, cut)
    variance = inside + 2 * law.sf(cut) * cut**2
    keys = {"sigma0": 1, "truncation": str(cut)} | ({} if nu is None else {"nu": str(nu)})
    assert variance <= float(setting(**keys).variance_factor) + 1e-12


def test_reach_bounds_every_step():
    """L1γ‖ĝ‖ ≤ γ(L0 + L1a)R for cut noise at its worst, over gradients of any size."""
    made = setting(L1=5, agents=2, omega=[1, 3], sigma0=[2, "1/2"], sigma1=[0, 1], truncation=3)
    for exponent in range(-8, 9):
        a = Fraction(2) ** exponent
        length = Fraction(0)
        for omega, s0, s1 in zip(made.omega, made.sigma0, made.sigma1, strict=True):
            scale = Fraction(math.isqrt(int(10**12 * (s0**2 + s1**2 * a**2))), 10**6)
            length += (1 + omega) * (a + 3 * scale) / 2
        assert made.L1 * length <= (made.L0 + made.L1 * a) * made.reach
    assert made.reach == ((1 + 1) * max(Fraction(1), Fraction(5 * 3 * 2, 4)) + 4 * Fraction(4)) / 2


def test_reach_of_quiet_agents_is_that_of_their_compression():
    assert setting().reach == 1 + 3
    assert setting(L1=0, sigma0=5).reach == 0
    with pytest.raises(ValueError, match="unbounded"):
        _ = setting(sigma0=5).reach


@pytest.mark.parametrize("horizon", [1, 2, 3, 50])
@pytest.mark.parametrize("kind", [INTERVALS, WIDE])
def test_sums_are_sums(horizon, kind):
    for schedule in (
        ScheduleSection(type="inverse_sqrt"),
        ScheduleSection(type="normalised", decay="inverse_sqrt"),
    ):
        found = sums(schedule, horizon, kind)
        first = sum(1 / specs.MP.sqrt(k + 1) for k in range(horizon))
        second = sum(specs.MP.mpf(1) / (k + 1) for k in range(horizon))
        assert specs.close(found.first, first)
        assert specs.close(found.second, second)
    flat = sums(ScheduleSection(type="normalised"), horizon, kind)
    assert specs.close(flat.first, horizon)
    assert specs.close(flat.second, horizon)


def test_enclosed_sums_contain_exact_ones():
    harmonic = sum(Fraction(1, k) for k in range(1, 31))
    assert sums(ScheduleSection(type="inverse_sqrt"), 30, INTERVALS).second.contains(harmonic)
    with pytest.raises(InexactError):
        sums(ScheduleSection(type="inverse_sqrt"), 30, RATIONALS)
