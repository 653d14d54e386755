"""The statements on stale passes before they have numbers: formula, source, terms, conditions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from boundcalc.arithmetic import Scalar
from boundcalc.report.cells import Content, Maths
from boundcalc.theories.staleness import momentum_sharp, published, sharp
from boundcalc.theories.staleness.setting import Setting

QUANTITY = r"\frac1N\sum_{n=0}^{N-1}\mathbb{E}\lVert\nabla f(x^{n})\rVert^2"

Formula = Callable[[Setting], Scalar]
Formulas = Mapping[str, Formula]

_SHARP: Content = (
    Maths(r"m_i"),
    " are the delays, ",
    Maths(r"\lVert\mathcal{G}-\nabla f\rVert^2\le\sum_i\kappa_id_i^2"),
    " for weights that moved by ",
    Maths("d_i"),
    ", ",
    Maths(r"Q=\max_i\kappa_im_i^2"),
    " and ",
    Maths(r"\theta=(1-L\alpha-\alpha^2Q)/(\alpha^2Q)"),
)
_REACH: Content = (
    Maths(r"\varphi=1-(1-\beta)s"),
    ", ",
    Maths(r"W=1+\beta s+\beta|\varphi|/(1-\beta)"),
    " and ",
    Maths(r"Q=\max_i\kappa_im_i^2"),
)
_STEPS: Content = "the step sizes do not increase (E13)"


@dataclass(frozen=True)
class Shape:
    """A statement before it has numbers.

    Attributes
    ----------
    key, title, formula, source
        As in :class:`~boundcalc.theories.values.Statement`.
    limit
        The largest α.
    terms, constants
        By name.
    strict
        Whether the limit itself is not covered.
    """

    key: str
    title: str
    formula: str
    source: str
    limit: Formula
    terms: Formulas
    constants: Formulas
    conditions: tuple[Content, ...] = ()
    strict: bool = False


SGD = Shape(
    "sgd",
    "SGD, published",
    r"\frac{2\Delta_0}{N\alpha}+L\alpha\sigma^2\Bigl(2+K\Delta t^2+\frac{Kc_1}{4}\Bigr)",
    "[XHH], Theorem 1 with the sign of E11",
    published.limit,
    {
        "optimisation": published.optimisation,
        "noise": lambda s: published.noise(s, published.noise_factor(s)),
    },
    {"c0": published.c0, "c1": published.c1, "noise_factor": published.noise_factor},
    (_STEPS,),
)

CORRECTED = Shape(
    "sgd.corrected",
    "SGD, corrected",
    r"\frac{2\Delta_0}{N\alpha}+L\alpha\sigma^2"
    r"\Bigl(2+\Delta t^2+\frac{Kc_1}{2(K+1)}\Bigr)",
    "docs/theory-staleness.md, Theorem 10.3: [XHH], Theorem 1 with E11 to E13",
    published.limit,
    {
        "optimisation": published.optimisation,
        "noise": lambda s: published.noise(s, published.corrected_factor(s)),
    },
    {"noise_factor": published.corrected_factor},
    (_STEPS,),
)

SHARP = Shape(
    "sgd.sharp",
    "SGD, sharp",
    r"\frac{2\Delta_0}{N\alpha}+L\alpha\sigma^2+\alpha^2\sigma^2\max_i\kappa_i"
    r"\min\Bigl\{m_i^2,\,m_i+\frac{m_i-1}{2\theta}\Bigr\}",
    "docs/theory-staleness.md, Theorem 10.6",
    sharp.limit,
    {
        "optimisation": published.optimisation,
        "sampling": sharp.sampling,
        "staleness": sharp.staleness,
    },
    {"Q": lambda s: s.Q, "smoothness": lambda s: s.smooth},
    (_SHARP,),
)

MOMENTUM = Shape(
    "momentum",
    "momentum, published",
    r"\frac{2(1-\beta)\Delta_0}{N\alpha}+c_5\sigma^2L\alpha",
    "[XHH], Theorem 2",
    published.momentum_limit,
    {
        "optimisation": published.momentum_optimisation,
        "noise": published.momentum_noise,
    },
    {
        "c2": published.c2,
        "c3": published.c3,
        "c4": published.c4,
        "c5": published.c5,
        "beta": lambda s: s.method.beta,
        "s": lambda s: s.method.s,
    },
)

MOMENTUM_SHARP = Shape(
    "momentum.sharp",
    "momentum, sharp",
    r"\frac{2(1-\beta)\Delta_0}{N\alpha}+\frac{L\alpha\sigma^2}{1-\beta}"
    r"\Bigl(1+\frac{\beta|\varphi|}{1-\beta}\Bigr)+\alpha^2W^2Q\sigma^2",
    "docs/theory-staleness.md, Theorem 10.8",
    momentum_sharp.limit,
    {
        "optimisation": published.momentum_optimisation,
        "sampling": momentum_sharp.sampling,
        "staleness": momentum_sharp.staleness,
    },
    {"Q": lambda s: s.Q, "W": momentum_sharp.reach, "smoothness": lambda s: s.smooth},
    (_REACH,),
)


#: The statements on stale passes alone.
SHAPES = (SGD, CORRECTED, SHARP, MOMENTUM, MOMENTUM_SHARP)
