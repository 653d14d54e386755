r"""Formulas of the theory of staleness, with their letters: terms, constants, limits."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from boundcalc.arithmetic import Number, Scalar
from boundcalc.explain.entry import Captures, Compute, Input, letter
from boundcalc.theories.registry import theory_named
from boundcalc.theories.staleness import momentum_sharp, published
from boundcalc.theories.staleness.composed import passes_of
from boundcalc.theories.staleness.setting import Problem, Setting

if TYPE_CHECKING:
    from boundcalc.graph import OperatorGraph


def _number(formula: Callable[[Setting], Scalar]) -> Compute:
    def compute(graph: OperatorGraph, at: Captures) -> Number:
        del at
        return _problem(graph).number(formula)

    return compute


def _problem(graph: OperatorGraph) -> Problem:
    return Problem(graph, theory_named("staleness").own(graph.spec))


def _windows(s: Setting) -> Scalar:
    """max κ_i min{m_i², m_i + (m_i − 1)/(2θ)}."""
    lost = s.step**2 * s.Q
    slack, found = 1 - s.smooth * s.step - lost, s.kind.number(0)
    for kappa, m in s.shares:
        each = s.kind.number(m**2)
        if lost > 0 and slack > 0:
            each = s.kind.minimum(each, m + (m - 1) / (2 * (slack / lost)))
        found = s.kind.maximum(found, kappa * each)
    return found


def _tau(s: Setting) -> Scalar:
    bias, spread = passes_of(s.problem).averages(s)
    lost, tau = s.step**2 * s.Q, s.kind.number(0)
    if bias != 0 and s.Q != 0:
        tau = (1 - s.smooth * s.step - lost) / lost
        if spread != 0:
            tau = s.kind.minimum(tau, s.kind.sqrt(bias / (lost * spread)))
    return tau


GAP = Input(r"\Delta_0", "initial gap", spec="loss.initial_gap")
STEPS = Input("N", "number of updates", spec="training.horizon")
ALPHA = Input(
    r"\alpha", "step of the method", "training.step_size", compute=_number(lambda s: s.step)
)
SIGMA = Input(r"\sigma", "noise of the gradient", spec="loss.gradient_noise")
L = Input("L", "L of [XHH]", "staleness.lipschitz", compute=_number(lambda s: s.L))
LF = Input(
    "L_f", "Lipschitz constant of ∇f", "loss.smoothness", compute=_number(lambda s: s.smooth)
)
M = Input(
    "M",
    "bound on gradients passed back",
    "staleness.error_gradient",
    compute=_number(lambda s: s.M),
)
K = Input("K", "number of blocks", compute=_number(lambda s: s.kind.number(s.K)))
DELAY = Input(r"\Delta t", "largest delay", compute=_number(lambda s: s.kind.number(s.delay)))
BETA = Input(r"\beta", "momentum", "training.optimizer", compute=_number(lambda s: s.method.beta))
S = Input("s", "which momentum", "training.optimizer", compute=_number(lambda s: s.method.s))
SCALE = Input("r", "α over the spec's step size", compute=_number(lambda s: s.method.scale))
Q = Input("Q", "largest κ_i m_i²", compute=_number(lambda s: s.Q))
W = Input("W", "how far one gradient moves the weights", compute=_number(momentum_sharp.reach))
P = Input("p", "β|φ|/(1−β), φ = 1 − (1−β)s", compute=_number(momentum_sharp.memory))
H = Input("H", "largest κ_i min{m_i², m_i + (m_i−1)/(2θ)}", compute=_number(_windows))
C0 = Input("c_0", "M²K(K+1)²", compute=_number(published.c0))
C1 = Input("c_1", "of Theorem 1 of [XHH]", compute=_number(published.c1))
C2 = Input("c_2", "of Theorem 2 of [XHH]", compute=_number(published.c2))
C3 = Input("c_3", "of Theorem 2 of [XHH]", compute=_number(published.c3))
C4 = Input("c_4", "of Theorem 2 of [XHH]", compute=_number(published.c4))
C5 = Input("c_5", "of Theorem 2 of [XHH]", compute=_number(published.c5))
VAR = Input(
    "V",
    "variance of the perturbed gradient",
    compute=_number(lambda s: passes_of(s.problem).averages(s)[1]),
)
BIAS = Input(
    "B",
    "squared bias of the perturbed gradient",
    compute=_number(lambda s: passes_of(s.problem).averages(s)[0]),
)
TAU = Input(r"\tau", "chosen for the bound", compute=_number(_tau))
FACTOR = Input("F", "noise factor", path="rate.staleness.sgd.noise_factor")

_BLOCKS = 8  # of which the numbers are listed one by one


def blocks(graph: OperatorGraph) -> tuple[Input, ...]:
    """κ_i and m_i of every delayed block, if they are not too many."""
    delays = _problem(graph).delays
    if len(delays) > _BLOCKS:
        return ()
    found: list[Input] = []
    for k, delay in enumerate(delays):
        if delay:
            base = f"compile.staleness.blocks[{k}]"
            found.append(Input(rf"\kappa_{{{k + 1}}}", f"κ of block {k + 1}", path=f"{base}.kappa"))
            found.append(Input(rf"m_{{{k + 1}}}", f"its delay {delay}", path=f"{base}.delay"))
    return tuple(found)


_ROOT = r"\sqrt{(\Delta t^2+2)^2+2c_0\Delta t^2}"
_MOMENTUM = r"\sqrt{c_4^2+4(1-\beta)^2c_3}"
_SLOPE = r"\frac{L_f(1+2p)}{1-\beta}"
_START = (r"\frac{2\Delta_0}{N\alpha}", (GAP, STEPS, ALPHA))
_MOVING = (r"\frac{2(1-\beta)\Delta_0}{N\alpha}", (GAP, STEPS, ALPHA, BETA))

Formula = tuple[str, tuple[Input, ...]]

#: Statement and term → formula and its letters.
TERMS: dict[tuple[str, str], Formula] = {
    ("sgd", "optimisation"): _START,
    ("sgd", "noise"): (
        r"L\alpha\sigma^2F",
        (L, ALPHA, SIGMA, FACTOR),
    ),
    ("sgd.corrected", "optimisation"): _START,
    ("sgd.corrected", "noise"): (
        r"L\alpha\sigma^2F",
        (
            L,
            ALPHA,
            SIGMA,
            Input("F", "noise factor", path="rate.staleness.sgd.corrected.noise_factor"),
        ),
    ),
    ("sgd.sharp", "optimisation"): _START,
    ("sgd.sharp", "sampling"): (r"L_f\alpha\sigma^2", (LF, ALPHA, SIGMA)),
    ("sgd.sharp", "staleness"): (r"\alpha^2\sigma^2H", (ALPHA, SIGMA, H)),
    ("momentum", "optimisation"): _MOVING,
    ("momentum", "noise"): (r"c_5\sigma^2L\alpha", (C5, SIGMA, L, ALPHA)),
    ("momentum.sharp", "optimisation"): _MOVING,
    ("momentum.sharp", "sampling"): (
        r"\frac{L_f\alpha\sigma^2}{1-\beta}(1+p)",
        (LF, ALPHA, SIGMA, BETA, P),
    ),
    ("momentum.sharp", "staleness"): (r"\alpha^2W^2Q\sigma^2", (ALPHA, W, Q, SIGMA)),
    ("composed", "optimisation"): _START,
    ("composed", "sampling"): (r"L_f\alpha V", (LF, ALPHA, VAR)),
    ("composed", "staleness"): (r"(1+\tau)\alpha^2QV", (TAU, ALPHA, Q, VAR)),
    ("composed", "perturbation_bias"): (r"(1+\frac{1}{\tau})B", (TAU, BIAS)),
}

#: Constant → what it is, formula, letters.
CONSTANTS: dict[str, tuple[str, str, tuple[Input, ...]]] = {
    "c0": ("the constant c₀ of [XHH]", "M^2K(K+1)^2", (M, K)),
    "c1": ("the constant c₁ of Theorem 1 of [XHH]", rf"{_ROOT}-(\Delta t^2+2)", (DELAY, C0)),
    "c2": (
        "the constant c₂ of Theorem 2 of [XHH]",
        r"\frac{((1-\beta)s-1)^2}{(1-\beta)^2}",
        (BETA, S),
    ),
    "c3": (
        "the constant c₃ of Theorem 2 of [XHH]",
        r"M^2K(K+1)^2\Delta t^2(c_2+s^2)",
        (M, K, DELAY, C2, S),
    ),
    "c4": (
        "the constant c₄ of Theorem 2 of [XHH]",
        r"3+\beta^2c_2+2(1-\beta)^2\Delta t^2(c_2+s^2)",
        (BETA, C2, DELAY, S),
    ),
    "c5": (
        "the constant c₅ of Theorem 2 of [XHH]",
        r"\frac{2+\beta^2c_2}{1-\beta}+2(1-\beta)\Delta t^2(c_2+s^2)"
        rf"+\frac{{{_MOMENTUM}-c_4}}{{2(1-\beta)}}",
        (BETA, C2, DELAY, S, C3, C4),
    ),
    "Q": (
        "the largest κ_i m_i²: what the delays do to the sharp limit",
        r"\max_i\kappa_im_i^2",
        (
            letter(r"\kappa_i", "κ of block i: compile.staleness.blocks[i].kappa"),
            letter("m_i", "delay of block i: compile.staleness.blocks[i].delay"),
        ),
    ),
    "W": ("how far one gradient moves the weights in all", r"1+\beta s+p", (BETA, S, P)),
    "beta": ("the momentum β", "", (BETA,)),
    "s": ("the parameter s of unified momentum", "", (S,)),
    "smoothness": ("the Lipschitz constant L_f of ∇f", "", (LF,)),
    "lipschitz": (
        "the L of [XHH], as stated or compiled from the constants of the operators",
        "",
        (L,),
    ),
    "error_gradient": ("M: no gradient that blocks pass back is larger", "", (M,)),
}

LIMITS: dict[str, Formula] = {
    "sgd": (rf"\frac{{2}}{{rL({_ROOT}+\Delta t^2+2)}}", (L, DELAY, C0, SCALE)),
    "sgd.sharp": (r"\frac{2}{r(L_f+\sqrt{L_f^2+4Q})}", (LF, Q, SCALE)),
    "momentum": (rf"\frac{{2(1-\beta)}}{{rL(c_4+{_MOMENTUM})}}", (BETA, L, C4, C3, SCALE)),
    "momentum.sharp": (
        rf"\frac{{2}}{{r({_SLOPE}+\sqrt{{({_SLOPE})^2+4W^2Q}})}}",
        (LF, BETA, P, W, Q, SCALE),
    ),
}
LIMITS |= {"sgd.corrected": LIMITS["sgd"], "composed": LIMITS["sgd.sharp"]}
