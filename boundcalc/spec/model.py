"""Spec format, version 1, as frozen models.

The models hold what the file says, checked one value at a time.  Names become
objects (operator types, perturbation models, operator ids) only in
:mod:`boundcalc.graph`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, PrivateAttr, model_validator

from boundcalc.data import DataSource
from boundcalc.showing import Shown
from boundcalc.spec.budget import BudgetSection
from boundcalc.spec.expressions import Expression, exact
from boundcalc.spec.fields import Frozen, Real, Size, custom_error
from boundcalc.spec.optimizer import OptimizerSection
from boundcalc.spec.places import Places
from boundcalc.spec.sections import GraphSection, OpenSection, Site, SymbolName
from boundcalc.spec.sweep import SweepSection

MAX_HORIZON = 1_000_000_000


class LossSection(Frozen):
    """Constants of the objective: Assumptions 1, 2 and 4.

    ``gradient_noise`` is σ, ``initial_gap`` Δ₀ = ℓ(w⁰) − ℓ*, ``pl`` μ, and ``batch``
    the number of samples whose gradients are averaged in a step, each with its own
    perturbation draws unless these are drawn per batch.
    """

    smoothness: Size | None = None
    pl: Size | None = None
    initial_gap: Size | None = None
    gradient_noise: Size | None = None
    batch: int = Field(default=1, ge=1, le=10**12)


class ReachSection(Frozen):
    """Where the value that a perturbation transforms lies: a ball around 0, and a box."""

    radius: Size | None = None
    low: Real | None = None
    high: Real | None = None


class PerturbationSection(OpenSection):
    """A perturbation: where, in which pass, how large, how dependent, and when.

    ``dependence`` says what is known of a forward perturbation that is given by moments,
    given all forward perturbations before it together (in the order of the operators; at one
    operator in the order of the spec): nothing (``any``, the default); that ``rms`` and
    ``mean`` bound its conditional moments almost surely (``conditional``); or that it is
    independent of them (``independent``).  All this given the weights and the sample.

    Models that transform the value (a number format, a compressor) read ``reach``, where that
    value lies, if the graph does not say or says too little; with ``memory`` what a transform
    left out is kept: ``feedback`` adds it to the next value, ``difference`` transforms the
    change since the last value that was received.

    ``draw: per_batch`` gives all samples of a step the same draw; otherwise each sample has
    its own, independent of the others.
    """

    library_key: ClassVar[str] = "model"

    at: Site | Annotated[list[Site], Field(min_length=1)]
    pass_: Literal["forward", "backward"] = Field(alias="pass")
    rms: Size | None = None
    mean: Size | None = None
    fourth: Size | None = None
    dependence: Literal["any", "conditional", "independent"] | None = None
    model: str | None = Field(default=None, max_length=100)
    reach: ReachSection | None = None
    memory: Literal["feedback", "difference"] | None = None
    draw: Literal["per_sample", "per_batch"] = "per_sample"
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
    """Step size γ, horizon T and the optimizer.

    ``clip`` scales every gradient down to that norm before the optimizer sees it.  Theories
    speak of plain SGD; every other optimizer is simulated only.
    """

    step_size: Size
    horizon: int = Field(ge=1, le=MAX_HORIZON)
    optimizer: OptimizerSection = OptimizerSection(type="sgd")
    clip: Size | None = None


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


class RecordSection(Frozen):
    """Which steps of a run are recorded: every k-th, beginning with the first, and the last."""

    every: int = Field(default=1, ge=1, le=MAX_HORIZON)


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
    record: RecordSection = RecordSection()
    precision: Literal["float64", "float32"] = "float64"


class Spec(Shown, Frozen):
    """A whole spec.

    A theory has a section under its own name, which it checks itself
    (:mod:`boundcalc.theories`): ``theory: staleness`` comes with ``staleness: {…}``.  Here it is
    ``own``, as it stands.
    """

    key_hint: ClassVar[str] = "a theory's section comes with `theory: NAME`; else remove it"

    version: Literal[1]
    name: str = Field(min_length=1, max_length=500)
    theory: str = Field(default="perturbed", min_length=1, max_length=100)
    own: Any = Field(default=None, json_schema_extra={"readOnly": True})
    symbols: dict[SymbolName, Size | None] = Field(default_factory=dict, max_length=1_000)
    graph: GraphSection
    loss: LossSection = LossSection()
    perturbations: list[PerturbationSection] = Field(default_factory=list, max_length=100_000)
    training: TrainingSection | None = None
    simulation: SimulationSection | None = None
    budget: BudgetSection | None = None
    sweep: SweepSection | None = None

    @model_validator(mode="before")
    @classmethod
    def _own_section(cls, raw: Any) -> Any:
        if not isinstance(raw, dict) or "own" in raw:
            return raw
        theory = raw.get("theory")
        if not isinstance(theory, str) or theory in cls.model_fields or theory not in raw:
            return raw
        return {key: value for key, value in raw.items() if key != theory} | {"own": raw[theory]}

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
