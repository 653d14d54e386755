"""Small graphs with transforms."""

from fractions import Fraction

import pytest
from toy_transforms import TOYS

import boundcalc as bc
from boundcalc.arithmetic import RATIONALS
from boundcalc.errors import SpecError
from boundcalc.graph import build
from boundcalc.perturbations import Reach

#: Operators by constants, and then by types that do nothing to a value.
GIVEN = (
    "{id: f1, dim: 2, constants: CONSTANTS}, {id: f2, dim: 2, constants: CONSTANTS}, "
    "{id: f3, constants: CONSTANTS}"
).replace(
    "CONSTANTS",
    "{jac_input: 3/2, jac_weight: 1, hess_input: 1, hess_mixed: 1, third_input: 1, third_mixed: 1}",
)
STILL = "{id: f1, type: identity}, {id: f2, type: identity}, {id: f3, type: identity}"


def built(operators, *perturbations, symbols="", head="", transforms=TOYS):
    lines = ", ".join("{" + line + "}" for line in perturbations)
    text = (
        f"{{version: 1, name: t, symbols: {{{symbols}}}, "
        f"graph: {{{head}operators: [{operators}]}}, perturbations: [{lines}]}}"
    )
    return build(bc.loads(text, name="my.yaml"), transforms=transforms)


def still(*perturbations, box="{low: -1, high: 2}", **options):
    """Three operators that do nothing to a number between −1 and 2."""
    return built(STILL, *perturbations, head=f"input: {box}, ", **options)


def refused(*args, make=built, **options):
    with pytest.raises(SpecError) as caught:
        make(*args, **options)
    return caught.value


def reach(low, high, radius):
    return Reach((1,), *(Fraction(x) for x in (radius, low, high)))


def number(expression):
    return expression.evaluate(RATIONALS)
