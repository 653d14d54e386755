"""What a claim file says, as frozen models, and the claim that follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import BeforeValidator, Field, model_validator

from boundcalc.spec.expressions import Expression
from boundcalc.spec.fields import Frozen, Size, custom_error
from boundcalc.spec.places import Places
from boundcalc.spec.sections import SymbolName

MAX_OPERATORS = 12
MAX_SYMBOLS = 8

Statement: TypeAlias = Literal["error", "bias"]

#: Statement → the moments that its coefficients multiply, in the order of Theorems 1 and 2.
MOMENTS: dict[Statement, tuple[str, ...]] = {
    "error": ("forward", "backward"),
    "bias": ("forward_mean", "forward_fourth", "backward_mean"),
}


def _text(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return value
    return value if isinstance(value, str) else repr(value)


def _same_text(value: Any) -> Any:
    if not isinstance(value, str):
        raise custom_error(
            "not a number or an expression", 'a number, or an expression such as "4*C**(N-i)"'
        )
    return value


#: A coefficient: its text, which is parsed for every N and i.
Formula = Annotated[
    str,
    BeforeValidator(_same_text),
    BeforeValidator(_text),
    Field(min_length=1, max_length=1000),
]

#: One formula for every site, or one for each site i = 1..N−1, or either for each N.
Formulas: TypeAlias = Formula | list[Formula] | dict[str, Formula | list[Formula]]

Count = Annotated[int, Field(ge=2, le=MAX_OPERATORS)]


class CoefficientsSection(Frozen):
    """The coefficients; what is left out is 0."""

    forward: Formulas | None = None
    backward: Formulas | None = None
    forward_mean: Formulas | None = None
    forward_fourth: Formulas | None = None
    backward_mean: Formulas | None = None


class UniformConstants(Frozen):
    """One set of constants for all operators, under the keys of a spec.

    Left out, ``lip`` is ``jac`` and ``hess_op`` is ``hess``; ``third`` is needed for the bias.
    """

    jac: Size
    lip: Size | None = None
    hess: Size
    hess_op: Size | None = None
    third: Size | None = None


class OperatorConstants(Frozen):
    """The constants of one operator, under the keys of a spec.

    Left out, ``lip_input`` is ``jac_input``; third derivatives are needed for the bias.
    """

    jac_input: Size
    jac_weight: Size
    lip_input: Size | None = None
    hess_input: Size
    hess_mixed: Size
    third_input: Size | None = None
    third_mixed: Size | None = None


class AssumptionsSection(Frozen):
    """What the perturbations satisfy besides their moments."""

    zero_mean: Annotated[bool, Field(strict=True)] = False


class ClaimFile(Frozen):
    """A whole claim file."""

    version: Literal[1]
    claim: str = Field(min_length=1, max_length=500)
    statement: Statement
    operators: Count | Annotated[list[Count], Field(min_length=1, max_length=MAX_OPERATORS)]
    constants: dict[SymbolName, Size | Annotated[list[Size], Field(min_length=2, max_length=2)]] = (
        Field(default_factory=dict, max_length=MAX_SYMBOLS)
    )
    uniform: UniformConstants | None = None
    chain: list[OperatorConstants] | None = Field(
        default=None, min_length=2, max_length=MAX_OPERATORS
    )
    coefficients: CoefficientsSection
    assumptions: AssumptionsSection = AssumptionsSection()

    @model_validator(mode="after")
    def _one_set_of_constants(self) -> Self:
        if (self.uniform is None) == (self.chain is None):
            raise custom_error(
                "the operators' constants need one source",
                "`uniform:` (one set for all operators) or `chain:` (one set for each)",
                "add uniform: {jac: C, lip: C, hess: L, hess_op: L, third: L}"
                if self.uniform is None
                else "remove one of the two",
            )
        sections: list[Any] = [self.uniform] if self.chain is None else [*self.chain]
        keys = ("third",) if self.chain is None else ("third_input", "third_mixed")
        if self.statement == "bias" and any(getattr(s, k) is None for s in sections for k in keys):
            raise custom_error(
                f"a claim about the bias needs {' and '.join(f'`{key}`' for key in keys)}",
                "bounds on how third derivatives grow, 0 for quadratic operators",
                f"add {keys[0]}: …",
            )
        return self


#: A box: an interval of rationals for every symbol.
Box: TypeAlias = Mapping[str, tuple[Fraction, Fraction]]


@dataclass(frozen=True)
class ChainClaim:
    """The claim for chains of one length.

    Attributes
    ----------
    size
        N.
    constants
        Per-operator constants as expressions in the symbols: rows a, b, l, A, B, A3, B3
        (docs/theory.md, section 1.4), operators 1 to N at positions 0 to N − 1.
    coefficients
        Moment → coefficients at the sites i = 1..N−1, positions 0 to N − 2; those of a
        backward moment belong to ε_{i+1}.

    Rows A3 and B3 hold None where the claim does not bound third derivatives.
    """

    size: int
    constants: Mapping[str, tuple[Expression | None, ...]]
    coefficients: Mapping[str, tuple[Expression, ...]]


@dataclass(frozen=True)
class Claim:
    """A claimed theorem: for all chains within the constants and all perturbations, a bound.

    Attributes
    ----------
    name, statement
        Its name; ``error`` for E‖ũ − u‖², ``bias`` for ‖E[ũ − u]‖².
    zero_mean
        Whether it is claimed for conditionally zero-mean perturbations only.
    box
        The interval of every symbol.
    chains
        The claim for every length, by N.
    file
        What the file says.
    """

    name: str
    statement: Statement
    zero_mean: bool
    box: Box
    chains: Mapping[int, ChainClaim]
    file: ClaimFile
    places: Places = field(default_factory=Places, compare=False, repr=False)
