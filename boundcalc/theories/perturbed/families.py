"""The three families: what each needs, computes, and may claim."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, final

from boundcalc.arithmetic import Arithmetic, Number, Scalar, Status
from boundcalc.arithmetic.best import in_best_kind
from boundcalc.graph import OperatorGraph
from boundcalc.theories.perturbed import descent, graph_sites, sharp, sites, sums
from boundcalc.theories.perturbed.descent import Descent
from boundcalc.theories.perturbed.refinements import (
    ON_ALL_PASSES,
    REFINEMENTS,
    Choice,
    known_refinements,
)

#: Longest graph whose bounds are computed with 113 bits; longer ones in float64 mantissas.
FAST_OPERATORS = 2_000

#: Longest chain, in operators, whose coefficients are computed site by site.
SITE_OPERATORS = 200_000

KZY = (
    "B. Kong, H. Zhang, K. Yuan, On the Convergence of Stochastic Gradient Descent with "
    "Perturbed Forward-Backward Passes, arXiv 2602.20646"
)

COLUMNS = (
    "error_forward",
    "error_backward",
    "bias_forward_mean",
    "bias_forward_fourth",
    "bias_backward_mean",
)


@dataclass(frozen=True)
class Bounds:
    """A family's bounds at given perturbation levels.

    Attributes
    ----------
    error, bias
        Bounds on E‖ũ − u‖² and ‖E[ũ − u]‖²; None where ``reason`` says why.
    form
        Which statement was used.
    error_plain, bias_plain
        The same from the plain general recurrences, without any refinement; None where they
        were not asked for.
    contributions
        Per-operator bounds on E‖ũ_i − u_i‖², where the family has them.
    reason
        Why a bound is None.
    refinements
        Those (docs/theory.md, 4.9 and 4.11) whose alternative was the smaller one at some
        stage; on graphs of more than :data:`FAST_OPERATORS` operators those that were taken.
    """

    error: Number | None
    bias: Number | None
    form: str
    error_plain: Number | None
    bias_plain: Number | None
    contributions: Sequence[Number] = ()
    reason: str | None = None
    refinements: tuple[str, ...] = ()


class Family(ABC):
    """One family of bounds.  Concrete families are final and never change."""

    name: ClassVar[str]
    title: ClassVar[str]
    source: ClassVar[str]
    caution: ClassVar[str | None]
    descent: ClassVar[Descent]
    bias_provable: ClassVar[bool]

    def refusal(self, graph: OperatorGraph) -> str | None:
        """Why the family has no bounds for this graph; None where it has."""
        del graph
        return None

    @abstractmethod
    def columns(self, graph: OperatorGraph, kind: Arithmetic) -> dict[str, tuple[Any, ...]]:
        """Coefficients by column, in the order of the graph's sites of that direction.

        An entry is None where a site has no coefficient.
        """

    @abstractmethod
    def coefficients(self, graph: OperatorGraph, kind: Arithmetic) -> Any:
        """Coefficients of a smooth chain by operator, 0 to N.

        Returns
        -------
        An object with the attributes :data:`COLUMNS`.
        """

    @abstractmethod
    def bounds(self, graph: OperatorGraph, active: Iterable[int] | None = None) -> Bounds:
        """Bounds at the levels of the ``active`` perturbations (all if None)."""

    def best_bounds(self, graph: OperatorGraph, active: Iterable[int] | None = None) -> Bounds:
        """The same; those without refinements, which are shown beside, may be left out."""
        return self.bounds(graph, active)

    def status(self, graph: OperatorGraph, exact: bool, *, bias: bool) -> Status:
        """``proved`` for a proved statement in exact arithmetic, else ``computed``.

        ``sampled`` where the constants hold on a region that was measured.

        Every family's error bound is proved: the printed one follows from the sharp one
        (docs/theory.md, Proposition 4.6).  The printed bias bound is false (E1, E2); the
        corrected one is true (Theorem 4.20), though its printed proof has a gap (E4).
        """
        if graph.sampled:
            return Status.SAMPLED
        proved = exact and (self.bias_provable or not bias)
        return Status.PROVED if proved else Status.COMPUTED


class _Sums(Family):
    """What ``published`` and ``corrected`` share: uniform constants and printed sums."""

    corrected: ClassVar[bool]

    def refusal(self, graph: OperatorGraph) -> str | None:
        """[KZY] states its theorems for chains of smooth operators."""
        if not graph.is_chain:
            return (
                f"the {self.name} bounds are stated and proved for chains: on a graph with "
                "branches, joins or shared weights they may be too small; sharp covers it"
            )
        names = ("hess_input", "hess_mixed", "third_input", "third_mixed")
        kink = next(
            (n for n in graph.nodes if any(getattr(n.constants, k) is None for k in names)), None
        )
        if kink is not None:
            return (
                f"the {self.name} bounds need Lipschitz derivatives (Assumption 3), and one of "
                f"{kink.id} jumps"
            )
        return None

    def columns(self, graph: OperatorGraph, kind: Arithmetic) -> dict[str, tuple[Any, ...]]:
        """(21), (33a) and (33b)."""
        return by_site(self.coefficients(graph, kind))

    def coefficients(self, graph: OperatorGraph, kind: Arithmetic) -> sums.SumCoefficients:
        """(21), (33a) and (33b), by operator."""
        constants = graph.uniform_constants(kind, corrected=self.corrected)
        return sums.coefficients(constants, kind, corrected=self.corrected)

    def bounds(self, graph: OperatorGraph, active: Iterable[int] | None = None) -> Bounds:
        """Theorems 1 and 2."""
        form = "Theorems 1 and 2 of [KZY]"
        refusal = self.refusal(graph)
        if refusal is not None:
            return Bounds(None, None, form, None, None, reason=refusal)
        chosen = None if active is None else list(active)

        def compute(kind: Arithmetic) -> tuple[Scalar, Scalar | None]:
            columns, levels = self.coefficients(graph, kind), graph.levels(kind, chosen)
            return (
                sums.error_bound(columns, levels, kind),
                sums.bias_bound(columns, levels, kind),
            )

        (error, bias), exact = in_best_kind(compute, graph.size)
        error_number = Number(error, self.status(graph, exact, bias=False))
        # Where nothing moves the mean does not move either, whatever is wrong in print.
        moved = error != 0
        bias_number = None if bias is None else Number(bias, self.status(graph, exact, bias=moved))
        reason = None
        if bias is None:
            reason = (
                "the bias bound needs (E‖δ‖⁴)^(1/4) of every forward perturbation; "
                "`fourth` is not given"
            )
        return Bounds(
            error=error_number,
            bias=bias_number,
            form=form,
            error_plain=error_number,
            bias_plain=bias_number,
            reason=reason,
        )


@final
class Published(_Sums):
    """The coefficients of [KZY] as printed, errors and all."""

    name = "published"
    title = "as printed"
    source = f"{KZY}, Theorems 1 to 5"
    caution = "its bias bound is false as printed: see E1 and E2 in docs/theory.md, section 3"
    corrected = False
    bias_provable = False
    descent = descent.PUBLISHED


@final
class Corrected(_Sums):
    """The published coefficients with E1, E2, E3 and E5 applied."""

    name = "corrected"
    title = "as printed, with E1, E2, E3 and E5 applied"
    source = f"{KZY}, Theorems 1 to 5, with the corrections of docs/theory.md, section 3"
    caution = (
        "its bias bound takes hess_op as a bound of both second derivatives (E2) and means as "
        "conditional ones (E4): docs/theory.md, Theorem 4.20"
    )
    corrected = True
    bias_provable = True
    descent = descent.CORRECTED


@final
class Sharp(Family):
    """Per-operator constants, sizes instead of squares, exact second moments.

    Parameters
    ----------
    refinements
        Names from :data:`~boundcalc.theories.perturbed.refinements.REFINEMENTS` that may be
        taken where the perturbations allow it; all of them by default.

    Raises
    ------
    ValueError
        For an unknown name.
    """

    name = "sharp"
    title = "sharp"
    source = "docs/theory.md, Theorems 4.1 to 4.3, 4.7 to 4.18, 6.1 and 6.2"
    caution = None
    bias_provable = True
    descent = descent.SHARP

    def __init__(self, refinements: Iterable[str] = REFINEMENTS) -> None:
        self.refinements = known_refinements(refinements)

    def columns(self, graph: OperatorGraph, kind: Arithmetic) -> dict[str, tuple[Any, ...]]:
        """Single-site coefficients (docs/theory.md, Lemmas 5.2 and 5.3, and section 4.8)."""
        if graph.is_smooth_chain:
            return by_site(self.coefficients(graph, kind))
        found = graph_sites.site_columns(graph.graph_constants(kind), graph.sites, kind)
        return {name: tuple(column) for name, column in found.items()}

    def coefficients(self, graph: OperatorGraph, kind: Arithmetic) -> sites.SiteCoefficients:
        """Single-site coefficients of a smooth chain, by operator."""
        return sites.site_coefficients(graph.chain_constants(kind), kind)

    def bounds(self, graph: OperatorGraph, active: Iterable[int] | None = None) -> Bounds:
        """Theorem 4.1, or 4.3 where every mean is zero; means by 4.2 and Lemma 4.4.

        On a graph Theorems 4.7, 4.9 and 4.8.  Refinements: sections 4.9 and 4.11.
        """
        chosen = None if active is None else list(active)
        if graph.size > FAST_OPERATORS:
            return self._fast_bounds(graph, chosen)

        def plain(kind: Arithmetic) -> tuple[Scalar, Scalar]:
            c, levels = graph.graph_constants(kind), graph.levels(kind, chosen)
            second = sharp.general(c, levels, kind)
            mean = sharp.means(c, levels, second, kind, capped=False)
            return second.total(), mean.total()

        (error, bias), exact = in_best_kind(plain, graph.size)
        status = self.status(graph, exact, bias=True)
        return replace(
            self.best_bounds(graph, chosen),
            error_plain=Number(error, status),
            bias_plain=Number(bias, status),
        )

    def best_bounds(self, graph: OperatorGraph, active: Iterable[int] | None = None) -> Bounds:
        """The same without the plain recurrences."""
        chosen = None if active is None else list(active)
        if graph.size > FAST_OPERATORS:
            return self._fast_bounds(graph, chosen)

        def best(kind: Arithmetic) -> tuple[Any, ...]:
            c, levels = graph.graph_constants(kind), graph.levels(kind, chosen)
            choice = Choice(kind, self._allowed(graph))
            still = {"forward": levels.forward_centred, "backward": levels.backward_centred}
            second = sharp.centred(c, levels, kind, **still, choice=choice)
            bias = sharp.means(c, levels, second, kind, choice=choice).total()
            form = sharp.statement(levels, chain=graph.is_chain)
            return second.total(), bias, second.gradient[1:], form, choice.names

        (error, bias, parts, form, used), exact = in_best_kind(best, graph.size)
        status = self.status(graph, exact, bias=True)
        return Bounds(
            error=Number(error, status),
            bias=Number(bias, status),
            form=form,
            error_plain=None,
            bias_plain=None,
            contributions=tuple(Number(part, status) for part in parts),
            refinements=used,
        )

    def _allowed(self, graph: OperatorGraph) -> frozenset[str]:
        """The refinements whose assumptions on regions hold.

        A measured region holds the states of the passes that were seen, and no others.
        """
        return self.refinements - ON_ALL_PASSES if graph.sampled else self.refinements

    def _fast_bounds(self, graph: OperatorGraph, active: list[int] | None) -> Bounds:
        """The same recurrences in compiled floating point, for graphs that are large."""
        from boundcalc.theories.perturbed.large import Contributions, both_bounds

        plain, best, levels, taken = both_bounds(graph, active, self._allowed(graph))
        status = self.status(graph, False, bias=True)
        return Bounds(
            error=Number(best.error, status),
            bias=Number(best.bias, status),
            form=sharp.statement(levels, chain=graph.is_chain),
            error_plain=Number(plain.error, status),
            bias_plain=Number(plain.bias, status),
            contributions=Contributions(best.contributions, status),
            refinements=taken,
        )


def by_site(columns: sites.SiteCoefficients | sums.SumCoefficients) -> dict[str, tuple[Any, ...]]:
    """Columns by operator, 0 to N, of a chain, in the order of its sites."""
    found = {name: tuple(getattr(columns, name)) for name in COLUMNS}
    return {
        name: column[2:] if "backward" in name else column[1:-1] for name, column in found.items()
    }


#: Family name → family; passed as an argument wherever a choice is made.
FAMILIES: dict[str, Family] = {
    family.name: family for family in (Published(), Corrected(), Sharp())
}
