"""Claims: what is called implied is implied, and what is refuted has an instance."""

import itertools
import json
from dataclasses import replace
from fractions import Fraction
from functools import cache
from random import Random

import pytest
from claim_texts import bias_text, claim_text
from typer.testing import CliRunner

from boundcalc.arithmetic import RATIONALS, WIDE, Status
from boundcalc.cli import app
from boundcalc.graph import ChainConstants, Levels
from boundcalc.resources import folder
from boundcalc.spec.loading import loads
from boundcalc.theories.perturbed import sharp, sites
from boundcalc.verify.adversary import Attack
from boundcalc.verify.claims import load_claim, loads_claim, refute
from boundcalc.verify.claims.outcome import IMPLIED, REFUTED, UNDETERMINED, Assault
from boundcalc.verify.claims.search import corners, dominated, examined

CLAIMS = folder("specs") / "claims"


def seeded(seed: int | str) -> Random:
    return Random(seed)  # noqa: S311 - to be repeated, not to be secret


# --- against brute force -----------------------------------------------------------------------


def sharp_value(claim, size: int, at: dict[str, Fraction], e, m, eps, n):
    """The plain sharp bound by the product's own recurrences, in wide floats."""
    chain = claim.chains[size]
    zero = WIDE.number(0)

    def row(key: str):
        return tuple(
            zero if x is None else x.evaluate(WIDE, {k: WIDE.number(v) for k, v in at.items()})
            for x in chain.constants[key]
        )

    c = ChainConstants(*((zero, *row(k)) for k in ("a", "b", "l", "A", "B", "A3", "B3")))

    def wide(values):
        return tuple(WIDE.number(x) for x in values)

    levels = Levels(
        (zero, *wide(e), zero),
        (zero, *wide(m), zero),
        (None,) * (size + 1),
        (zero, zero, *wide(eps)),
        (zero, zero, *wide(n)),
    )
    if claim.statement == "bias":
        return superposed_total(c.graph, wide(e), wide(m), wide(n))
    centred = claim.zero_mean
    return sharp.centred(c, levels, WIDE, forward=centred, backward=centred).total()


def superposed_total(g, e, m, n):
    """β² of docs/theory.md, Theorem 4.18 (a), by derivatives of single sites alone."""
    N, zero = g.size, WIDE.number(0)
    lip = [zero, zero, *(min(g.l[i][0], g.a[i][0]) for i in range(2, N + 1))]
    total = zero
    for i in range(1, N + 1):
        row = zero
        for k in range(1, N):
            row = row + one_site(g, lip, i, k, e[k - 1], m[k - 1])
            if k >= i:  # ε_{k+1} goes through operators k, …, i + 1
                back = n[k - 1]
                for j in range(i + 1, k + 1):
                    back = back * g.a[j][0]
                row = row + g.b[i] * back
        total = total + row**2
    return total


def one_site(g, lip, i: int, k: int, e, m):
    """Theorem 4.2 for row i with δ_k alone: there s and R are exact multiples of e."""
    N, zero = g.size, WIDE.number(0)
    s, mu = [zero] * (N + 1), [zero] * (N + 1)
    s[k], mu[k] = e, m
    for j in range(k + 1, N):
        s[j], mu[j] = lip[j] * s[j - 1], lip[j] * mu[j - 1] + g.A[j][0][0] * s[j - 1] ** 2 / 2
    V, R, beta = WIDE.number(1), zero, zero
    for j in range(N, i, -1):
        A, A3, a = g.A[j][0][0], g.A3[j][0], g.a[j][0]
        beta = a * beta + A * s[j - 1] * R + V * (A * mu[j - 1] + A3 * s[j - 1] ** 2 / 2)
        R = a * R + A * V * s[j - 1]
        V = a * V
    if i == 1:
        return g.b[i] * beta
    B, B3, before = g.B[i][0], g.B3[i], s[i - 1]
    return g.b[i] * beta + B * before * R + V * (B * mu[i - 1] + B3 * before**2 / 2)


def claimed_value(claim, size: int, at: dict[str, Fraction], e, m, eps, n):
    moments = {
        "forward": [x**2 for x in e],
        "backward": [x**2 for x in eps],
        "forward_mean": [x**2 for x in m],
        "forward_fourth": [x**4 for x in e],
        "backward_mean": [x**2 for x in n],
    }
    values = {k: WIDE.number(v) for k, v in at.items()}
    total = WIDE.number(0)
    for key, row in claim.chains[size].coefficients.items():
        for x, moment in zip(row, moments[key], strict=True):
            total = total + x.evaluate(WIDE, values) * WIDE.number(moment)
    return total


def violated(claim, size: int, at: dict[str, Fraction], rng: Random, tries: int) -> bool:
    """Whether the sharp bound is above the claim at some sampled levels."""
    k = size - 1
    for _ in range(tries):

        def draw() -> list[Fraction]:
            return [
                Fraction(0)
                if rng.random() < 0.3
                else Fraction(10) ** rng.randint(-2, 1) * rng.randint(1, 30)
                for _ in range(k)
            ]

        e, m, eps, n = draw(), draw(), draw(), draw()
        if claim.zero_mean or claim.statement == "error":
            m = n = [Fraction(0)] * k
        if claim.statement == "bias":
            eps = [Fraction(0)] * k
        bound = sharp_value(claim, size, at, e, m, eps, n)
        if bound > claimed_value(claim, size, at, e, m, eps, n) * (
            1 + WIDE.number(Fraction(1, 10**20))
        ):
            return True
    return False


def sampled(claim, rng: Random, points: int = 8):
    yield from corners(claim.box)
    for _ in range(points):
        yield {
            k: low + (high - low) * Fraction(rng.randint(0, 64), 64)
            for k, (low, high) in claim.box.items()
        }


def random_claim(rng: Random):
    size = rng.choice([2, 2, 3])
    C = rng.choice(["[0, 1]", "[1/2, 2]", "1", "[0, 3]"])
    L = rng.choice(["[0, 1]", "[1, 2]", "2"])
    zero_mean = rng.random() < 0.5
    factor = rng.choice(["1/3", "9/10", "11/10", "2", "4", "10"])
    if rng.random() < 0.5:
        forward = f"{factor}*(max(1, C**N)**2*N**2*L**2)"
        backward = f"{factor}*sum(j, 1, i, C**(2*j))" if rng.random() < 0.7 else f"{factor}*C**2"
        extra = f"assumptions: {{zero_mean: {str(zero_mean).lower()}}}\n"
        return loads_claim(
            claim_text(
                f"'{forward}'",
                f"'{backward}'",
                operators=size,
                constants=f"{{C: {C}, L: {L}}}",
                extra=extra,
            )
        )
    power = "max(1, C**N)**2"
    return loads_claim(
        bias_text(
            f"{factor}*{power}*N*L**2*(1 + C**2)",
            f"{factor}*{power}*N**3*(T**2*(1 + C**2) + L**4*(1 + C**4))",
            f"{factor}*sum(j, 1, i, C**(2*j))*N",
            f"{{C: {C}, L: {L}, T: [0, 1]}}",
            size=size,
            zero_mean=zero_mean,
        )
    )


@cache
def random_dominations(seed: int):
    claim = random_claim(seeded(seed))
    return claim, {n: dominated(claim, chain, boxes=30) for n, chain in claim.chains.items()}


@pytest.mark.parametrize("seed", range(40))
def test_nothing_is_called_implied_that_a_sample_violates(seed: int) -> None:
    rng = seeded(seed)
    claim, dominations = random_dominations(seed)
    for size, found in dominations.items():
        bad = [at for at in sampled(claim, rng) if violated(claim, size, at, rng, 12)]
        assert not (found.proved and bad), (claim.file, bad[0])
        assert 0 <= found.share <= 1
        if found.point is not None:  # what is said to be violated can be checked as well
            p = found.point.profile(found.point.worst()[1])
            rows = [
                [Fraction(float(x)).limit_denominator(10**9) for x in row]
                for row in (p.e, p.m, p.eps, p.n)
            ]
            at = dict(found.point.point)
            assert sharp_value(claim, size, at, *rows) > claimed_value(claim, size, at, *rows)


def test_random_claims_are_of_all_kinds() -> None:
    kinds = set()
    for seed in range(40):
        claim, found = random_dominations(seed)
        kinds |= {(claim.statement, claim.zero_mean, f.proved) for f in found.values()}
    assert kinds == set(itertools.product(("error", "bias"), (False, True), (False, True)))


# --- at the edge -------------------------------------------------------------------------------


def edge_claim(size: int, factor: Fraction, rng: Random, *, zero_mean: bool):
    """factor times coefficients of which none can be made smaller, at fixed constants."""
    rows = {
        key: [Fraction(rng.randint(1, 8), 4) for _ in range(size)]
        for key in ("a", "b", "l", "A", "B")
    }
    none = (Fraction(0),) * (size + 1)
    c = ChainConstants(
        *((Fraction(0), *rows[key]) for key in ("a", "b", "l", "A", "B")), none, none
    )
    gram = sites.gram_matrix(c, RATIONALS)
    k = size - 1
    t = [Fraction(rng.randint(1, 9), rng.randint(1, 4)) for _ in range(2 * k)]
    D = [
        sum(g * y for g, y in zip(row, t, strict=True)) / x for row, x in zip(gram, t, strict=True)
    ]
    if zero_mean:
        D[k:] = [gram[j][j] for j in range(k, 2 * k)]
        D[:k] = [10**6 * d for d in D[:k]]
    chain = [
        {
            "jac_input": str(rows["a"][i]),
            "jac_weight": str(rows["b"][i]),
            "lip_input": str(rows["l"][i]),
            "hess_input": str(rows["A"][i]),
            "hess_mixed": str(rows["B"][i]),
        }
        for i in range(size)
    ]
    raw = {
        "version": 1,
        "claim": "edge",
        "statement": "error",
        "operators": size,
        "chain": chain,
        "coefficients": {
            "forward": [str(factor * d) for d in D[:k]],
            "backward": [str(factor * d) for d in D[k:]],
        },
        "assumptions": {"zero_mean": zero_mean},
    }
    return loads_claim(json.dumps(raw), name="edge.json")


@pytest.mark.parametrize("zero_mean", [False, True])
@pytest.mark.parametrize("size", [2, 3, 4])
def test_the_smallest_coefficients_are_implied_and_smaller_ones_are_not(
    size: int, zero_mean: bool
) -> None:
    rng = seeded(size)
    for _ in range(5):
        state = rng.getstate()
        for factor, expected in (
            (Fraction(1), True),
            (1 + Fraction(1, 10**9), True),
            (1 - Fraction(1, 10**5), False),
        ):
            rng.setstate(state)
            claim = edge_claim(size, factor, rng, zero_mean=zero_mean)
            found = dominated(claim, claim.chains[size], boxes=3)
            assert found.proved is expected
            assert (found.point is None) is expected


def test_two_operators_zero_mean_bias_has_a_known_edge() -> None:
    # β^u_1 = b V_2 ½A′ e² and β^u_2 = ½B′ e²: with all constants 1, β² = ½ e⁴ (docs/theory.md)
    for fourth, implied in (("1/2", True), ("0.4999", False)):
        text = bias_text("0", fourth, "0", "{C: 1, L: 1, T: 1}", size=2, zero_mean=True)
        claim = loads_claim(text)
        assert dominated(claim, claim.chains[2]).proved is implied


@pytest.mark.parametrize(("factor", "implied"), [("1", True), ("0.999999", False)])
def test_the_smallest_bias_coefficients_are_implied_and_smaller_ones_are_not(
    factor: str, implied: bool
) -> None:
    # G = ((27/2, 3), (3, 3/4)) in (e_1², e_2²): the row sums are coefficients none of which
    # can be made smaller (docs/theory.md, Theorem 4.5)
    text = bias_text("0", "1", "0", "{C: 1, L: 1, T: 1}", size=3, zero_mean=True)
    row = f"forward_fourth: ['{factor}*33/2', '{factor}*15/4']"
    claim = loads_claim(text.replace("forward_fourth: '1'", row))
    assert dominated(claim, claim.chains[3]).proved is implied


def test_part_of_a_box_is_proved_and_the_rest_is_said() -> None:
    claim = loads_claim(claim_text("'3*L**2'", "'3*C**2'", constants="{C: [0, 1], L: [0, 2]}"))
    whole = dominated(claim, claim.chains[2])
    assert whole.proved
    assert whole.share == 1
    few = load_claim(CLAIMS / "published-error.yaml")
    found = [dominated(few, few.chains[3], boxes=boxes) for boxes in (3, 30)]
    assert [(f.proved, f.stopped, f.boxes) for f in found] == [(False, True, 3), (False, True, 30)]
    assert 0 <= found[0].share < found[1].share < 1


def test_a_box_of_one_point_is_tested_exactly() -> None:
    claim = edge_claim(3, Fraction(1), seeded(0), zero_mean=False)
    assert examined(claim, claim.chains[3], claim.box).proved


# --- shipped claims ----------------------------------------------------------------------------


def test_the_printed_error_theorem_is_implied() -> None:
    outcome = refute(load_claim(CLAIMS / "published-error.yaml"))
    assert all(part.share == 1 for part in outcome.parts)
    assert [part.size for part in outcome.parts] == [2, 3, 4, 5]
    assert (outcome.verdict, outcome.status, outcome.exit_code) == (IMPLIED, Status.PROVED, 0)


def test_the_printed_bias_theorem_is_refuted() -> None:
    outcome = refute(load_claim(CLAIMS / "published-bias.yaml"))
    assert (outcome.verdict, outcome.exit_code) == (REFUTED, 1)
    best = outcome.parts[0].assaults[0]
    assert best.claimed == 0.0
    assert outcome.status == Status.PROVED
    square = best.moments["forward_mean"][0]
    assert best.attack.attained == pytest.approx(float(square), rel=1e-15)  # E1: bias² = d²
    assert loads(best.attack.instance).graph.operators[1].type == "bilinear"


def test_too_small_coefficients_are_refuted() -> None:
    outcome = refute(load_claim(CLAIMS / "half-error.yaml"))
    assert (outcome.verdict, outcome.status) == (REFUTED, Status.PROVED)
    best = outcome.parts[0].assaults[0]
    assert best.fraction == pytest.approx(best.sharp**0.5 / best.claimed**0.5, rel=1e-3)


def test_the_corrected_bias_theorem_is_implied() -> None:
    outcome = refute(load_claim(CLAIMS / "corrected-bias.yaml"))  # docs/theory.md, Theorem 4.20
    assert [part.size for part in outcome.parts] == [2, 3, 4, 5]
    assert (outcome.verdict, outcome.status) == (IMPLIED, Status.PROVED)
    assert outcome.assumption.startswith("(A3+)")
    assert not refute(load_claim(CLAIMS / "zero-mean-error.yaml")).assumption


def test_what_is_nearly_sharp_is_refuted_by_small_noise() -> None:
    text = (CLAIMS / "nearly-sharp-bias.yaml").read_text()
    outcome = refute(loads_claim(text))
    best = outcome.parts[0].assaults[0]
    assert (outcome.verdict, outcome.status) == (REFUTED, Status.PROVED)
    assert best.attack.attained == pytest.approx(best.sharp, rel=2e-3)
    assert best.attack.attained < best.sharp  # Theorem 4.18
    wider = loads_claim(text.replace("99/100", "11/10"))
    assert refute(wider).verdict == IMPLIED


def test_a_bias_claim_that_no_operator_of_the_library_refutes_stays_open() -> None:
    outcome = refute(load_claim(CLAIMS / "cubic-bias.yaml"), starts=1)
    assert (outcome.verdict, outcome.status) == (UNDETERMINED, Status.UNDETERMINED)
    assert outcome.parts[0].assaults
    assert all(a.attack.attained < a.claimed for a in outcome.parts[0].assaults)


def test_the_zero_mean_claim_is_implied_by_squares_that_add_only() -> None:
    claim = load_claim(CLAIMS / "zero-mean-error.yaml")
    assert refute(claim).verdict == IMPLIED
    text = (
        (CLAIMS / "zero-mean-error.yaml").read_text().replace("zero_mean: true", "zero_mean: false")
    )
    general = loads_claim(text)
    assert dominated(general, general.chains[4], boxes=1).point is not None


@pytest.mark.parametrize(
    ("attained", "uncertainty", "claimed", "refutes"),
    [
        (1.0, 0.0, 1.5, False),
        (1.0, 0.0, 1.0, False),
        (1.0, 0.0, 1 - 1e-12, False),
        (1.0, 0.0, 0.999, True),
        (1.0, 0.1, 0.95, False),
        (1.0, 0.1, 0.8, True),
        (1.0, 0.0, 0.0, True),
        (0.0, 0.0, 0.0, False),
    ],
)
def test_an_instance_refutes_by_more_than_rounding(
    attained: float, uncertainty: float, claimed: float, refutes: bool
) -> None:
    attack = Attack("error", attained, uncertainty, {}, {}, (), "", 0, 0, 0)
    assault = Assault({}, {}, claimed, 1.0, attack)
    assert assault.refutes is refutes
    assert assault.status == (Status.SAMPLED if uncertainty else Status.COMPUTED)


def test_enclosed_numbers_are_compared_as_they_are() -> None:
    attack = Attack("error", 1.0, 0.0, {}, {}, (), "", 0, 0, 0)
    assault = Assault({}, {}, 1 - 2.0**-53, 1.0, attack, enclosed=True)
    assert assault.refutes
    assert assault.status == Status.PROVED
    assert not replace(assault, claimed=1.0).refutes


# --- the command -------------------------------------------------------------------------------


def run(*arguments: str):
    return CliRunner().invoke(app, ["refute", *arguments])


def test_the_command_prints_the_verdict_and_exits_by_it(tmp_path) -> None:
    path = tmp_path / "easy.yaml"
    path.write_text(claim_text())
    result = run(str(path))
    assert result.exit_code == 0
    assert "implied by sharp (proved)" in result.stdout
    result = run(str(CLAIMS / "published-bias.yaml"), "--json", "-o", str(tmp_path))
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert found["verdict"] == "refuted by instance"
    part = found["operators"]["2"]
    assert part["not_dominated_at"]["T"] == "0"
    assert 0.5 < part["proved_share"] < 1  # where L_∇²f is large the printed bound is implied
    assert part["attacks"][0]["fraction"] == "inf"
    assert loads((tmp_path / "instance-2.yaml").read_text()).name.startswith("Instance against")


def test_a_budget_that_runs_out_is_undetermined() -> None:
    result = run(str(CLAIMS / "published-error.yaml"), "--boxes", "3")
    assert result.exit_code == 3
    assert "3 boxes did not suffice" in result.stdout


def test_an_interrupt_says_what_is_known() -> None:
    def stop(done: int, total: int) -> None:
        if done == 10:
            raise KeyboardInterrupt

    outcome = refute(load_claim(CLAIMS / "published-error.yaml"), progress=stop)
    assert outcome.verdict == UNDETERMINED
    assert outcome.status == Status.UNDETERMINED
    assert outcome.parts[-1].interrupted
    assert outcome.notes == ("interrupted: 2 of the lengths were not looked at",)
