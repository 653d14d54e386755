"""What a theory must provide, and nothing else."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from boundcalc.errors import SpecError
from boundcalc.graph import OperatorGraph
from boundcalc.spec.fields import Frozen
from boundcalc.spec.loading import library_object
from boundcalc.spec.model import Spec
from boundcalc.theories.values import Answer, Assumption, Citation, Composition, Drawn

if TYPE_CHECKING:
    from boundcalc.report.cells import Document
    from boundcalc.simulate.engines import EngineName
    from boundcalc.simulate.run import Progress

#: The six commands, the last of which (report) is made from the answers to the others.
Verb = Literal["compile", "rate", "budget", "simulate", "verify"]


@dataclass(frozen=True)
class Options:
    """How to simulate.

    Attributes
    ----------
    engine, threads
        As for :func:`boundcalc.simulate.run.simulate`; a theory with one engine of its own
        takes ``auto`` and the name of that.
    progress
        Told (steps done, steps in all) once in a while.
    """

    engine: EngineName = "auto"
    threads: int | None = None
    progress: Progress | None = None

    def report(self, done: int, total: int) -> None:
        """Tell the progress, if anyone listens."""
        if self.progress is not None:
            self.progress(done, total)


class Theory(ABC):
    """One setting of perturbed SGD with its statements.

    All methods are pure functions of a graph that :meth:`accepts`.  They raise
    :class:`~boundcalc.errors.SpecError` where the spec lacks what they need.

    Attributes
    ----------
    name
        The word after ``theory:`` in a spec, and the key of its own section.
    title, summary
        A heading, and one sentence.
    citations
        What it rests on, the main source first.
    section
        The model of its own section; None if it has none.
    lenient
        Whether operators may come without constants.
    compositions
        What it can be combined with.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    summary: ClassVar[str]
    citations: ClassVar[tuple[Citation, ...]]
    section: ClassVar[type[Frozen] | None] = None
    lenient: ClassVar[bool] = False
    compositions: ClassVar[tuple[Composition, ...]] = ()

    @abstractmethod
    def accepts(self, graph: OperatorGraph) -> None:
        """Raise a SpecError with place, value, expectation and fix if the theory cannot speak."""

    @abstractmethod
    def assumptions(self, graph: OperatorGraph) -> tuple[Assumption, ...]:
        """The ledger: every assumption that some statement uses, with its number here."""

    @abstractmethod
    def compile(self, graph: OperatorGraph) -> Answer:
        """Coefficients or step conditions: what the statements are made of."""

    @abstractmethod
    def rate(self, graph: OperatorGraph) -> Answer:
        """The statements at the spec's step size and horizon."""

    @abstractmethod
    def budget(self, graph: OperatorGraph) -> Answer:
        """The inverse: the largest perturbation for which the bound stays at its target."""

    @abstractmethod
    def simulate(self, graph: OperatorGraph, options: Options) -> Answer:
        """What the statements speak of, run and measured."""

    @abstractmethod
    def verify(self, graph: OperatorGraph, options: Options, run: Answer | None = None) -> Answer:
        """Every statement held against a run: this one, or a new one."""

    def figures(
        self, graph: OperatorGraph, answers: Mapping[Verb, Answer], folder: Path
    ) -> tuple[Drawn, ...]:
        """Draw into a folder that exists; styles are set (:mod:`boundcalc.report.plots`)."""
        del graph, answers, folder
        return ()

    def compose(
        self, graph: OperatorGraph, folder: Path, options: Options
    ) -> tuple[Document, Mapping[str, Any]]:
        """The report's document and its results.json, figures drawn into a folder.

        All theories have the same sections in the same order
        (:mod:`boundcalc.theories.document`); a theory seldom needs a form of its own.
        """
        from boundcalc.theories.document import compose

        return compose(self, graph, folder, options)

    def own(self, spec: Spec) -> Any:
        """The theory's own section of a spec, checked.

        Raises
        ------
        SpecError
            If it is missing, or breaks the model, with file, line and path.
        """
        return checked_section(self, spec)


def checked_section(theory: Theory, spec: Spec) -> Any:
    """The section under a theory's own name as an object of its model; None without a model."""
    raw, model = spec.own, theory.section
    if model is None:
        if raw is not None:
            raise SpecError(
                f"the theory {theory.name!r} has no section of its own",
                where=spec.where(theory.name),
                fix="remove it",
            )
        return None
    if not isinstance(raw, dict):
        raise SpecError(
            f"the theory {theory.name!r} needs its section" if raw is None else "not a section",
            where=spec.where(theory.name),
            value=raw,
            expected=f"`{theory.name}:` with " + ", ".join(_wanted(model)),
            fix=f"add {theory.name}: {{…}} (`boundcalc examples` has specs with it)",
        )
    try:
        return library_object(model, raw, theory.name, spec.symbols)
    except SpecError as error:
        raise _placed(error, spec) from None


def _wanted(model: type[Frozen]) -> list[str]:
    required = [f"`{key}`" for key, info in model.model_fields.items() if info.is_required()]
    return required or [f"`{key}`" for key in model.model_fields]


def _placed(error: SpecError, spec: Spec) -> SpecError:
    return type(error)(
        error.problem,
        where=spec.where(error.where or ""),
        value=error.value,
        expected=error.expected,
        fix=error.fix,
    )
