"""Spec format, version 1: the sections of the graph, and what open sections share."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from boundcalc.spec.expressions import exact
from boundcalc.spec.fields import Frozen, Real, Size, custom_error

MAX_OPERATORS = 1_000_000


def _name(value: str) -> str:
    if not value.strip() or not value.isprintable() or "->" in value:
        raise custom_error(
            "not a usable name",
            "printable characters, not empty, without '->' (which names an edge)",
        )
    return value


#: An operator's id: any printable text, so that reports must escape it.
Name = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_name)]

#: An operator's id, or an edge ``f1->f3``.
Site = Annotated[str, Field(min_length=1, max_length=402)]

#: A symbol that expressions may use.
SymbolName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,39}$")]


class OpenSection(Frozen):
    """A section whose extra keys are the parameters of a library object.

    Keys that the section itself does not know are kept in ``parameters`` and are
    checked by the operator type or perturbation model that they belong to.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    library_key: ClassVar[str]  #: the key that names the library object

    parameters: dict[str, Any] = Field(default_factory=dict, json_schema_extra={"readOnly": True})

    @model_validator(mode="before")
    @classmethod
    def _collect_parameters(cls, raw: Any) -> Any:
        if not isinstance(raw, dict) or raw.get(cls.library_key) is None:
            return raw
        if "parameters" in raw:
            return raw
        own = set(cls.model_fields) | {f.alias for f in cls.model_fields.values() if f.alias}
        kept = {key: value for key, value in raw.items() if key in own}
        extra = {key: value for key, value in raw.items() if key not in own}
        return {**kept, "parameters": extra}


class UniformSection(Frozen):
    """One set of constants for all operators ([KZY], Assumption 3).

    C_∇f, L_f, L_∇f, C_∇²f and L_∇²f of docs/theory.md, section 2.
    """

    jac: Size
    lip: Size
    hess: Size
    hess_op: Size
    third: Size


#: How often an operator or a block is repeated: a number, or a symbol that has a value.
Count = Annotated[int, Field(ge=1, le=MAX_OPERATORS)] | SymbolName

#: One constant, or one for each predecessor.
PerInput = Size | dict[str, Size]

#: One constant, or one for each predecessor, or for each pair of them.
PerPair = Size | dict[str, Size] | dict[str, dict[str, Size]]


class ConstantsSection(Frozen):
    """Constants of one operator; those left out come from its ``type``."""

    jac_input: PerInput | None = None
    jac_weight: Size | None = None
    lip_input: PerInput | None = None
    hess_input: PerPair | None = None
    hess_mixed: PerInput | None = None
    third_input: PerInput | None = None
    third_mixed: PerInput | None = None


class RegionSection(Frozen):
    """Where an operator's input and weights stay.

    ``input`` and ``weight`` are radii of balls around 0; ``weight_change`` is the
    radius of a ball around the initial weights; ``low`` and ``high`` hold every
    component of the input.
    """

    input: Size | None = None
    weight: Size | None = None
    weight_change: Size | None = None
    low: Real | None = None
    high: Real | None = None


class InitialSection(Frozen):
    """The values that an operator's weights start from: drawn, listed, or read from a file.

    ``arrays`` are the names of arrays in ``file`` (NPZ, safetensors or MAT), whose
    entries in C order follow each other.
    """

    normal: Size | None = None
    uniform: Size | None = None
    seed: int = Field(default=0, ge=0, lt=2**63)
    values: list[Real] | None = Field(default=None, max_length=1_000_000)
    file: str | None = Field(default=None, min_length=1, max_length=1000)
    arrays: list[str] | None = Field(default=None, min_length=1, max_length=100)

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        given = [
            key for key in ("normal", "uniform", "values", "file") if getattr(self, key) is not None
        ]
        if len(given) != 1:
            raise custom_error(
                "initial weights need one source",
                "one of `normal`, `uniform`, `values` and `file`",
                "remove " + ", ".join(given[1:]) if given else "add normal: 1/10, for instance",
            )
        if (self.arrays is None) != (self.file is None):
            raise custom_error(
                "a file of weights and the names of its arrays go together",
                "file: NAME with arrays: [NAME, …]",
            )
        return self


class OperatorSection(OpenSection):
    """One operator of the graph, a ``block`` of them, or ``repeat`` of either in a row."""

    library_key: ClassVar[str] = "type"

    id: Name
    type: str | None = Field(default=None, max_length=100)
    repeat: Count | None = None
    block: list[OperatorSection] | None = Field(default=None, min_length=1, max_length=1_000)
    inputs: list[Name] | None = None
    constants: ConstantsSection = ConstantsSection()
    region: RegionSection = RegionSection()
    dim: int | None = Field(default=None, ge=1, le=10**9)
    weights: Name | None = None
    initial: InitialSection | None = None
    trainable: bool = True

    key_hint: ClassVar[str] = "parameters of a library operator need its `type:`"


class InputSection(Frozen):
    """The data that the graph reads: its shape, and a ball and a box that hold every sample."""

    shape: list[Annotated[int, Field(ge=1, le=10**9)]] | None = Field(
        default=None, min_length=1, max_length=4
    )
    radius: Size | None = None
    low: Real | None = None
    high: Real | None = None


class GraphSection(Frozen):
    """The operators, in order.

    ``regions`` says where regions that are not stated come from: ``propagated`` from the
    data through the operators, or ``visited``, measured on the data and enlarged by
    ``margin``.  ``merge`` says which neighbours get one norm together: none, linear ones,
    or also two linear ones with an elementwise one between them (``rescaled``).
    """

    input: InputSection = InputSection()
    regions: Literal["propagated", "visited"] = "propagated"
    margin: Size = exact(2)
    merge: Literal["none", "linear", "rescaled"] = "linear"
    uniform: UniformSection | None = None
    operators: list[OperatorSection] = Field(min_length=1, max_length=MAX_OPERATORS)
