"""Spec format, version 1, as frozen models.

The models hold what the file says, checked one value at a time.  Names become
objects (operator types, perturbation models, operator ids) only in
:mod:`boundcalc.graph`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, PrivateAttr, model_validator

from boundcalc.data import DataSource
from boundcalc.spec.expressions import Expression, exact
from boundcalc.spec.fields import Frozen, Real, Size, custom_error
from boundcalc.spec.places import Places

MAX_OPERATORS = 1_000_000
MAX_HORIZON = 1_000_000_000


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


class _Open(Frozen):
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
    """Radii of the balls around 0 in which an operator's input and weights stay."""

    input: Size | None = None
    weight: Size | None = None


class OperatorSection(_Open):
    """One operator of the graph, or ``repeat`` of them in a row."""

    library_key: ClassVar[str] = "type"

    id: Name
    type: str | None = Field(default=None, max_length=100)
    repeat: int | None = Field(default=None, ge=1, le=MAX_OPERATORS)
    inputs: list[Name] | None = None
    constants: ConstantsSection = ConstantsSection()
    region: RegionSection = RegionSection()
    dim: int | None = Field(default=None, ge=1, le=10**9)
    weights: Name | None = None

    key_hint: ClassVar[str] = "parameters of a library operator need its `type:`"


class GraphSection(Frozen):
    """The operators, in order."""

    uniform: UniformSection | None = None
    operators: list[OperatorSection] = Field(min_length=1, max_length=MAX_OPERATORS)


class LossSection(Frozen):
    """Constants of the objective: Assumptions 1, 2 and 4.

    ``gradient_noise`` is σ, ``initial_gap`` Δ₀ = ℓ(w⁰) − ℓ*, ``pl`` μ, and ``batch``
    the number of samples whose gradients, each with its own perturbation draws,
    are averaged in a step.
    """

    smoothness: Size | None = None
    pl: Size | None = None
    initial_gap: Size | None = None
    gradient_noise: Size | None = None
    batch: int = Field(default=1, ge=1, le=10**12)


class PerturbationSection(_Open):
    """A perturbation: where, in which pass, how large, and when."""

    library_key: ClassVar[str] = "model"

    at: Site | Annotated[list[Site], Field(min_length=1)]
    pass_: Literal["forward", "backward"] = Field(alias="pass")
    rms: Size | None = None
    mean: Size | None = None
    fourth: Size | None = None
    model: str | None = Field(default=None, max_length=100)
    probability: Size | None = None
    every: int | None = Field(default=None, ge=1)
    steps: list[Annotated[int, Field(ge=0)]] | None = Field(default=None, max_length=1_000_000)
    first: int | None = Field(default=None, ge=0)
    last: int | None = Field(default=None, ge=0)

    key_hint: ClassVar[str] = "parameters of a perturbation model need its `model:`"

    @property
    def sites(self) -> list[str]:
        """The names under ``at``, as a list."""
        return [self.at] if isinstance(self.at, str) else list(self.at)


class TrainingSection(Frozen):
    """Step size γ, horizon T and the optimizer."""

    step_size: Size
    horizon: int = Field(ge=1, le=MAX_HORIZON)
    optimizer: Literal["sgd"] = "sgd"


def _goes_with(section: Frozen, key: str, wanted: bool, kind: str) -> None:
    """Refuse a size that nothing would use, and a kind without the size that it needs."""
    if (key in section.model_fields_set) != wanted:
        raise custom_error(
            f"`kind: {kind}` {'needs' if wanted else 'has no use for'} `{key}`",
            f"`{key}` together with a kind that uses it",
            f"{'add' if wanted else 'remove'} `{key}`, or change `kind`",
        )


class RegulariserSection(Frozen):
    """ρ·𝓡(w): ``squared`` is ‖w‖², ``nonconvex`` is Σ_j w_j²/(1+w_j²)."""

    kind: Literal["none", "squared", "nonconvex"] = "none"
    strength: Size = exact(0)

    @model_validator(mode="after")
    def _strength_is_used(self) -> Self:
        _goes_with(self, "strength", self.kind != "none", self.kind)
        return self


class NoiseSection(Frozen):
    """Sampling noise: none (full batch), N(0, std² I) added, or minibatches of ``loss.batch``."""

    kind: Literal["none", "gaussian", "minibatch"] = "none"
    std: Size = exact(0)

    @model_validator(mode="after")
    def _std_is_used(self) -> Self:
        _goes_with(self, "std", self.kind == "gaussian", self.kind)
        return self


class CheckSection(Frozen):
    """Where and how finely error and bias are measured at fixed iterates.

    ``iterates`` are positions along the first replica's run, 0 its start and 1 its
    end.
    """

    iterates: list[Annotated[float, Field(ge=0, le=1)]] = Field(
        default=[0.0, 1.0], min_length=1, max_length=20
    )
    samples: int = Field(default=8, ge=1, le=10_000)
    draws: int = Field(default=4096, ge=2, le=10_000_000)


class SimulationSection(Frozen):
    """How the chain is simulated."""

    data: DataSource
    replicas: int = Field(default=16, ge=2, le=100_000)
    seed: int = Field(default=0, ge=0, lt=2**63)
    regulariser: RegulariserSection = RegulariserSection()
    initial_weights: Literal["zeros"] | Size | list[Real] = "zeros"
    noise: NoiseSection = NoiseSection()
    ewma: float = Field(default=0.99, ge=0, lt=1)
    confidence: float = Field(default=0.999, gt=0.5, lt=1)
    check: CheckSection = CheckSection()


class Spec(Frozen):
    """A whole spec."""

    version: Literal[1]
    name: str = Field(min_length=1, max_length=500)
    theory: Literal["perturbed"] = "perturbed"
    symbols: dict[SymbolName, Size | None] = Field(default_factory=dict, max_length=1_000)
    graph: GraphSection
    loss: LossSection = LossSection()
    perturbations: list[PerturbationSection] = Field(default_factory=list, max_length=100_000)
    training: TrainingSection | None = None
    simulation: SimulationSection | None = None

    _folder: Path = PrivateAttr(default_factory=Path.cwd)
    _places: Places = PrivateAttr(default_factory=Places)

    @property
    def folder(self) -> Path:
        """Where relative file names in the spec start: the folder of the spec file."""
        return self._folder

    def where(self, path: tuple[str | int, ...] | str = ()) -> str | None:
        """A place in the spec with file and line, as ``my.yaml:12: graph.operators[2].id``."""
        return self._places.where(path)

    @property
    def symbol_values(self) -> dict[str, Expression]:
        """The symbols that have a value."""
        return {name: value for name, value in self.symbols.items() if value is not None}
