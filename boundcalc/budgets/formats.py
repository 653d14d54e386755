"""The cheapest admissible number format of every activation and gradient."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from boundcalc.arithmetic import FLOATS, RATIONALS, Number, Status
from boundcalc.arithmetic.combine import square_root
from boundcalc.arithmetic.number import format_limit, format_number
from boundcalc.budgets.allocation.candidates import Candidate
from boundcalc.budgets.allocation.choose import Chosen, cheapest
from boundcalc.budgets.allocation.evaluator import Evaluator
from boundcalc.budgets.frequency import frequencies
from boundcalc.budgets.offers import Offer, enlarged, offered, with_formats
from boundcalc.budgets.question import Question, lowest
from boundcalc.budgets.results import Formats, Frequency, SiteFormat
from boundcalc.errors import SpecError
from boundcalc.graph import OperatorGraph, Perturbation, Site, build
from boundcalc.perturbations.transform import Reach
from boundcalc.spec.expressions import root

#: By how much reaches are enlarged for the search, since formats before a site move its values.
MARGINS = tuple(Fraction(k, 64) for k in (64, 65, 68, 72, 80, 96, 128, 256))


def cheapest_formats(asked: Question, reaches: Mapping[tuple[str, int], Reach]) -> Formats:
    """Number formats that keep the bound below the target, of least bits.

    A site's values are rounded at every step to one of the candidates of the spec's
    ``budget.formats``; the spec's own perturbations are left out.

    Parameters
    ----------
    reaches
        Where the values of each site of the unperturbed graph lie, by direction and index.

    Returns
    -------
    Formats
        Its bound is that of the spec with all these formats in it, with regions that the
        rounding errors before a site enlarge: proved where the spec's numbers are.

    Raises
    ------
    SpecError
        For an unknown format, or if even the best candidates miss the target.

    Notes
    -----
    Candidates have moments over reaches that are enlarged by a margin; the assignment is
    searched with these (docs/budgets.md), then built.  Where its bound is above the target, or a
    value may leave its format, the margin grows.  ``lower_cost`` belongs to reaches without
    a margin, which are the smallest that a site can have.
    """
    offers = offered(asked.section.formats)
    notes = {site: _why(asked.graph, site, reaches, offers) for site in asked.graph.sites}
    if any(note is not None for note in notes.values()):
        return _incomplete(asked, reaches, notes)
    shared = _shared(asked)
    search = _Search(shared, tuple(notes), offers, reaches)
    for margin in MARGINS:
        found = search.at(margin)
        if found is None:
            continue
        chosen, graph = found
        return Formats(
            sites=tuple(_site(graph, site, item) for site, item in chosen.items()),
            cost=Number(
                sum(item.transform.bits(_size(graph, site)) for site, item in chosen.items()),
                Status.PROVED,
            ),
            bound=asked.bound(graph),
            lower_cost=search.lower(),
            target=shared.target,
            frequencies=_frequencies(asked, graph),
        )
    raise _infeasible(shared, offers, reaches)


def _shared(asked: Question) -> Question:
    """The same question with the part of the allowed excess that formats may take."""
    section = asked.section.formats
    if section.share is None:
        share = Fraction(1, 2) if asked.section.events else Fraction(1)
    else:
        share = section.share.evaluate(RATIONALS)
    if share > 1:
        raise SpecError(
            "formats cannot take more than the whole excess",
            where="budget.formats.share",
            value=str(section.share),
            expected="a number above 0, at most 1",
        )
    low = lowest(asked.baseline.value)
    target = low + share * (lowest(asked.target.value) - low)
    return replace(asked, target=replace(asked.target, value=target))


def _frequencies(asked: Question, graph: OperatorGraph) -> tuple[Frequency, ...]:
    """How often the budget's events may happen on top of the formats that a graph contains."""
    if not asked.section.events:
        return ()
    return frequencies(replace(asked, graph=graph), on_top=True)


@dataclass(frozen=True)
class _Search:
    """Assignments of candidates whose moments belong to reaches that a margin enlarges."""

    asked: Question
    sites: tuple[Site, ...]
    offers: Mapping[str, Sequence[Offer]]
    reaches: Mapping[tuple[str, int], Reach]

    def options(self, margin: Fraction) -> list[list[tuple[Candidate, Offer]]]:
        return [
            _options(self.reaches, site, self.offers[site.direction], margin) for site in self.sites
        ]

    def at(self, margin: Fraction) -> tuple[dict[Site, Offer], OperatorGraph] | None:
        """The cheapest one that is admissible once it is built; None where none is found."""
        options = self.options(margin)
        if not all(options):
            return None
        built: dict[tuple[int, ...], OperatorGraph] = {}

        def chosen(picks: tuple[int, ...]) -> dict[Site, Offer]:
            pairs = zip(self.sites, options, picks, strict=True)
            return {site: here[k][1] for site, here, k in pairs}

        def accept(picks: tuple[int, ...]) -> bool:
            graph = _built(self.asked, chosen(picks))
            if graph is None or not self.asked.admissible(graph):
                return False
            built[picks] = graph
            return True

        found = self._cheapest(options, accept)
        return None if found is None else (chosen(found.picks), built[found.picks])

    def lower(self) -> Number | None:
        """What no assignment can cost less than: reaches are at least those without a margin."""
        found = self._cheapest(self.options(Fraction(1)), None)
        return None if found is None else Number(found.lower, Status.COMPUTED, limit=True)

    def _cheapest(
        self,
        options: Sequence[Sequence[tuple[Candidate, Offer]]],
        accept: Callable[[tuple[int, ...]], bool] | None,
    ) -> Chosen | None:
        candidates = [[candidate for candidate, _ in here] for here in options]
        target = float(lowest(self.asked.target.value))
        return cheapest(candidates, Evaluator(self.asked, self.sites), target, accept)


def _options(
    reaches: Mapping[tuple[str, int], Reach], site: Site, offers: Sequence[Offer], margin: Fraction
) -> list[tuple[Candidate, Offer]]:
    """Candidates that hold the site's values, with their moments."""
    found = []
    reach = enlarged(reaches[site.direction, site.index], margin)
    for item in offers:
        try:
            moments = item.transform.moments(reach)
        except SpecError:
            continue  # the range does not fit, or is not known
        rms, mean, fourth = (
            float(power.evaluate(FLOATS))
            for power in (
                root(moments.second),
                root(moments.mean_squared),
                root(root(moments.fourth)),
            )
        )
        cost = item.transform.bits(reach.size)
        found.append((Candidate(item.name, cost, rms, mean, fourth), item))
    return found


def _built(asked: Question, chosen: Mapping[Site, Offer]) -> OperatorGraph | None:
    """The spec's graph with these formats at every site; None where a value may not fit."""
    try:
        return build(with_formats(asked.graph.spec, chosen))
    except SpecError:
        return None


def _site(graph: OperatorGraph, site: Site, chosen: Offer) -> SiteFormat:
    made = _perturbation(graph, site)
    assert made.moments is not None  # noqa: S101 - formats have moments
    second, squared = (
        Number(x.evaluate(RATIONALS), Status.SAMPLED if graph.sampled else Status.PROVED)
        for x in (made.moments.second, made.moments.mean_squared)
    )
    return SiteFormat(
        direction=site.direction,
        label=site.label,
        size=made.size,
        format=chosen.name,
        rounding=chosen.transform.rounding,
        bits=Number(chosen.transform.bits(made.size) / made.size, Status.PROVED),
        rms=square_root(second),
        mean=square_root(squared),
    )


def _size(graph: OperatorGraph, site: Site) -> int:
    return _perturbation(graph, site).size


def _perturbation(graph: OperatorGraph, site: Site) -> Perturbation:
    return next(
        p
        for p in graph.perturbations
        if p.direction == site.direction
        and (p.site if site.direction == "forward" else p.edge) == site.index
    )


def _why(
    graph: OperatorGraph,
    site: Site,
    reaches: Mapping[tuple[str, int], Reach],
    offers: Mapping[str, Sequence[Offer]],
) -> str | None:
    """Why no candidate does for a site."""
    reach = reaches.get((site.direction, site.index))
    if reach is None or reach.magnitude is None:
        return "no range is known: nothing bounds the values there"
    if not _options(reaches, site, offers[site.direction], Fraction(1)):
        return f"no candidate holds values up to {float(reach.magnitude):.6g}"
    return None


def _incomplete(
    asked: Question,
    reaches: Mapping[tuple[str, int], Reach],
    notes: Mapping[Site, str | None],
) -> Formats:
    """No assignment: what stands in the way, site by site."""
    rows = []
    for site, note in notes.items():
        reach = reaches.get((site.direction, site.index))
        rows.append(
            SiteFormat(
                direction=site.direction,
                label=site.label,
                size=1 if reach is None else reach.size,
                format=None,
                rounding=asked.section.formats.rounding,
                bits=None,
                rms=None,
                mean=None,
                note=note,
            )
        )
    return Formats(sites=tuple(rows), cost=None, bound=None, lower_cost=None)


def _infeasible(
    asked: Question,
    offers: Mapping[str, Sequence[Offer]],
    reaches: Mapping[tuple[str, int], Reach],
) -> SpecError:
    """The bound with the most accurate candidate everywhere."""
    best = {}
    for site in asked.graph.sites:
        options = _options(reaches, site, offers[site.direction], Fraction(1))
        best[site] = min(options, key=lambda option: option[0].rms)[1]
    graph = _built(asked, best)
    found = "a value may leave its format" if graph is None else str(asked.bound(graph))
    return SpecError(
        "no assignment of the candidate formats meets the target",
        where="budget.formats",
        value=f"with the most accurate candidate everywhere: {found}",
        expected=f"at most {format_limit(asked.target.value)} "
        f"(unperturbed {format_number(asked.baseline.value)})",
        fix="add wider formats to budget.formats, or raise the tolerance",
    )
