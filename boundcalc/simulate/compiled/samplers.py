"""The C functions of perturbations: what a program's source calls for each.

Of a distribution, in ``c/draws.h`` (``out`` is ``(n, LANES)``)::

    NAME_draw(lanes, n, state, events, probability, p, out)
    NAME_draw4(lanes, n, states, events, probability, p, outs)      four streams at once

and of a transform, in ``c/HEADER.h`` (``y`` and ``memory``, or NULL, are ``(n, LANES)``)::

    NAME_apply(lanes, n, SIZES…, p, state, events, probability, misfit, memory, y)

``state`` and ``events`` are the four words of SFC64 streams, ``p`` numbers in double precision
whatever ``real`` is, and a negative ``probability`` stands for always.  The samples come in
order, so that the numbers of a sample depend neither on blocks nor on how many follow: they are
those of the NumPy samplers, given generators in the same states.  ``misfit`` points to a double
for each transform, NaN at first, in which a value that did not fit a format is left.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from math import floor
from typing import Any, Literal, TypeAlias

import numpy as np

from boundcalc.arithmetic import FLOATS
from boundcalc.errors import SimulationError
from boundcalc.graph import Perturbation
from boundcalc.operators.base import Array
from boundcalc.perturbations import (
    Constant,
    Distribution,
    Gaussian,
    Transform,
    TwoPoint,
    Uniform,
)
from boundcalc.perturbations.base import number
from boundcalc.perturbations.bit_flip import BitFlip
from boundcalc.perturbations.formats import FloatFormat
from boundcalc.perturbations.formats.exact import power
from boundcalc.perturbations.formats.flip_draws import DENSE, Rare
from boundcalc.perturbations.formats.rounding import Grid
from boundcalc.perturbations.formats.settings import known_number
from boundcalc.perturbations.natural import Natural
from boundcalc.perturbations.number_format import NumberFormat
from boundcalc.perturbations.rand_k import RandK
from boundcalc.perturbations.sign import Sign
from boundcalc.perturbations.sparsify import Sparsify
from boundcalc.perturbations.top_k import TopK
from boundcalc.simulate.compiled.ziggurat import normal_tables

Memory: TypeAlias = Literal["feedback", "difference"] | None
Values: TypeAlias = Mapping[str, float]

_ALWAYS = -1.0
_DIGITS = 20  # DIGITS of c/settling.h
_LONGEST = 100_000  # components whose blocks fit on a thread's stack
_REMEMBERS = {None: 0, "feedback": 1, "difference": 2}
_SPECIALS = {"none": 0, "ieee": 1, "one nan": 2}
_NONFINITE = {"zero": 0, "saturate": 1}


@dataclass(frozen=True)
class Draw:
    """One perturbation's C function.

    Attributes
    ----------
    name, header
        Of the function and of the file that has it.
    sizes
        Integers that the source states after n: of a transform.
    parameters
        Numbers passed at run time, in double precision.
    probability
        With which it acts on a sample; negative is always.
    refusal
        The error to raise for a value left in ``misfit``.
    """

    name: str
    header: str
    kind: Literal["distribution", "transform"]
    sizes: tuple[int, ...] = ()
    parameters: Array = field(default_factory=lambda: np.empty(0))
    probability: float = _ALWAYS
    refusal: Callable[[float], SimulationError] | None = None


def law_of(perturbation: Perturbation, values: Values) -> Draw | str:
    """The C function of a perturbation, or why there is none.

    Parameters
    ----------
    values
        Of the symbols in its parameters.
    """
    chance = perturbation.probability
    probability = _ALWAYS if chance is None else float(chance.evaluate(FLOATS, values))
    model = perturbation.distribution or perturbation.transform
    if model is None:
        return "a perturbation given by its moments cannot be drawn"
    found: Draw | None
    if isinstance(model, Distribution):
        found = draw_of(model, values, probability)
    else:
        found = transform_of(model, perturbation.size, perturbation.memory, probability)
    return f"the perturbation model `{model.model}` has no C function" if found is None else found


def draw_of(
    distribution: Distribution, values: Values, probability: float = _ALWAYS
) -> Draw | None:
    """The C function of a distribution; None for one that is not of the library.

    Raises
    ------
    SymbolError, SpecError
        As :meth:`~boundcalc.perturbations.base.Distribution.sampler`.

    Examples
    --------
    >>> draw_of(Uniform(half_width="a/2"), {"a": 1.0}).parameters.tolist()
    [-0.5, 1.0]
    """
    make = DISTRIBUTION_TWINS.get(type(distribution))
    if make is None:
        return None
    distribution.check(values)
    numbers = np.concatenate([np.ravel(part) for part in make(distribution, values)])
    return Draw(distribution.model, "draws", "distribution", (), numbers, probability)


def transform_of(
    transform: Transform, size: int, memory: Memory = None, probability: float = _ALWAYS
) -> Draw | None:
    """The C function of a transform of ``size`` components; None without one.

    Raises
    ------
    SpecError
        If the transform does not go with that many components.

    Examples
    --------
    >>> transform_of(TopK(k=2), 10, "feedback").sizes
    (1, 2)
    """
    make = TRANSFORM_TWINS.get(type(transform))
    if make is None or size > _LONGEST:
        return None
    header, sizes, numbers = make(transform, size)
    return Draw(
        transform.model,
        header,
        "transform",
        (_REMEMBERS[memory], *sizes),
        np.array(numbers, dtype=np.float64),
        probability,
        getattr(transform, "refusal", None),
    )


# --- distributions --------------------------------------------------------------------------


def _constant(law: Constant, values: Values) -> tuple[Any, ...]:
    return (number(law.value, values),)


def _gaussian(law: Gaussian, values: Values) -> tuple[Any, ...]:
    return number(law.std, values), number(law.center, values), normal_tables()


def _two_point(law: TwoPoint, values: Values) -> tuple[Any, ...]:
    return tuple(number(part, values) for part in law.law())


def _uniform(law: Uniform, values: Values) -> tuple[Any, ...]:
    low, high = (number(end, values) for end in law.ends())
    return low, high - low


#: Distribution → the numbers of its C function.
DISTRIBUTION_TWINS: dict[type, Callable[[Any, Values], tuple[Any, ...]]] = {
    Constant: _constant,
    Gaussian: _gaussian,
    TwoPoint: _two_point,
    Uniform: _uniform,
}


# --- transforms -----------------------------------------------------------------------------

#: Header, sizes after what is remembered, and numbers.
_Parts: TypeAlias = tuple[str, tuple[int, ...], list[float]]


def digits_of(chance: Fraction) -> list[float]:
    """How many, and the digits to base 2⁵³ of a probability, each as a multiple of 2⁻⁵³.

    All digits, or the first twenty.

    >>> digits_of(Fraction(1, 4)), digits_of(Fraction(1))
    ([1.0, 0.25], [1.0, 1.0])
    >>> len(digits_of(Fraction(1, 3)))
    21
    """
    digits: list[float] = []
    while not digits or (chance and len(digits) < _DIGITS):
        digit = min(floor(chance * 2**53), 2**53)
        digits.append(digit / 2**53)
        chance = chance * 2**53 - digit
    return [float(len(digits)), *digits]


def _grid(grid: Grid, scale: float, strict: bool) -> list[float]:
    """In the order of c/rounding.h."""
    floating = grid.precision > 0
    return [
        grid.offset,
        scale,
        1.5 * 2.0 ** (53 - grid.precision) if floating else 0.0,
        float(power(grid.smallest)) if floating else 0.0,
        float(power(1 - grid.precision)) if floating else 0.0,
        float(grid.flush),
        float(strict),
        grid.largest - grid.least + 1,
        grid.largest,
        grid.least,
    ]


def _number_format(transform: NumberFormat, size: int) -> _Parts:
    dynamic = transform.scaling != "none"
    if dynamic:
        assert transform.form is not None  # noqa: S101 - refused by check_keys
        grid, scale = Grid.of(transform.form, transform.subnormals == "flush"), 1.0
    else:
        grid, scale = transform.fixed_grid()
    group = transform.group_length(size) if dynamic else 0
    real = int(dynamic and transform.kind == "real")
    sizes = int(grid.precision > 0), int(transform.stochastic), group, real
    return "number_format", sizes, _grid(grid, scale, transform.strict)


def _bit_flip(transform: BitFlip, size: int) -> _Parts:
    form, listed = transform.form, transform.listed
    rate = known_number(transform.rate, "rate")
    law = Rare.of(rate, size * len(listed)) if 0 < rate < DENSE else Rare(0, 0.0, 0.0)
    digits = digits_of(rate) + [0.0] * _DIGITS
    grid, scale = transform.fixed_grid()
    floating = isinstance(form, FloatFormat)
    sizes = (
        len(listed),
        int(rate >= DENSE),
        int(floating),
        form.bits,
        form.mantissa if isinstance(form, FloatFormat) else 0,
        form.smallest if isinstance(form, FloatFormat) else 0,
        _SPECIALS[form.specials] if isinstance(form, FloatFormat) else 0,
        _NONFINITE[transform.nonfinite],
    )
    numbers = [*_grid(grid, scale, True), *digits[: _DIGITS + 1], law.some, law.log_stay]
    return "bit_flip", sizes, [*numbers, *map(float, listed)]


def _natural(transform: Natural, size: int) -> _Parts:
    del transform, size
    return "compressors", (), []


def _sign(transform: Sign, size: int) -> _Parts:
    del transform, size
    return "compressors", (), []


def _rand_k(transform: RandK, size: int) -> _Parts:
    transform.kept(size)  # refuses a k that is too large
    return "compressors", (transform.k,), [float(transform.scale(size))]


def _sparsify(transform: Sparsify, size: int) -> _Parts:
    numbers = [float(transform.scale(size)), *digits_of(transform.probability)]
    return "compressors", (), numbers


def _top_k(transform: TopK, size: int) -> _Parts:
    transform.contraction(size)  # refuses a k that is too large
    return "compressors", (transform.k,), []


#: Transform → its C function.
TRANSFORM_TWINS: dict[type, Callable[[Any, int], _Parts]] = {
    BitFlip: _bit_flip,
    Natural: _natural,
    NumberFormat: _number_format,
    RandK: _rand_k,
    Sign: _sign,
    Sparsify: _sparsify,
    TopK: _top_k,
}
