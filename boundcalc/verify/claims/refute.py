"""A claim checked: implied by the sharp bound, refuted by an instance, or neither."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import flint

from boundcalc.errors import ExpressionError, SpecError
from boundcalc.spec.expressions import Expression
from boundcalc.spec.problems import Problem, as_error
from boundcalc.verify.claims.attack import STARTS, Attacks, attacks
from boundcalc.verify.claims.model import ChainClaim, Claim
from boundcalc.verify.claims.outcome import IMPLIED, REFUTED, UNDETERMINED, Assault, Outcome, Part
from boundcalc.verify.claims.ranges import Range, enclosure
from boundcalc.verify.claims.search import BOXES, Domination, Progress, centre, corners, dominated

#: What Theorem 4.18 needs beside the constants (docs/theory.md, section 4.11).
SUPERPOSED = "(A3+): the constants hold where some of the perturbations are switched off, too"


def refute(
    claim: Claim,
    *,
    boxes: int = BOXES,
    starts: int = STARTS,
    seed: int = 0,
    progress: Progress | None = None,
) -> Outcome:
    """Check a claim (docs/claims.md).

    For every length the claim is compared with the sharp bound on the box of constants by
    branch and bound.  Where the sharp bound is above the claim, an adversary looks for an
    instance that beats the claim.

    Parameters
    ----------
    claim
        The claim.
    boxes
        How many boxes to look at, for each length.
    starts, seed
        How the adversary is started.
    progress
        Called with (boxes looked at, ``boxes``) for every length.

    Returns
    -------
    The outcome; an interrupt ends the search, and the outcome says what is known.

    Raises
    ------
    SpecError
        If a coefficient is negative, or undefined somewhere on the box.

    Examples
    --------
    >>> from boundcalc.verify.claims.loading import loads_claim
    >>> claim = loads_claim(
    ...     "{version: 1, claim: mine, statement: error, operators: 2, constants: {C: [0, 1]},"
    ...     " uniform: {jac: C, hess: 1}, coefficients: {forward: 4, backward: 2*C**2}}"
    ... )
    >>> refute(claim).verdict
    'implied by sharp'
    """
    for chain in claim.chains.values():
        _check(claim, chain)
    parts = []
    for chain in claim.chains.values():
        found = dominated(claim, chain, boxes=boxes, progress=progress)
        tried = Attacks([], [])
        interrupted = found.interrupted
        if found.point is not None and not interrupted:
            try:
                attacks(claim, found.point, tried, starts=starts, seed=seed)
            except KeyboardInterrupt:
                interrupted = True
        parts.append(_part(found, tried, interrupted))
        if interrupted:
            break
    missing = len(claim.chains) - len(parts)
    notes = (f"interrupted: {missing} of the lengths were not looked at",) if missing else ()
    implied = any(part.verdict == IMPLIED for part in parts)
    assumption = SUPERPOSED if implied and claim.statement == "bias" else ""
    return Outcome(claim.name, claim.statement, tuple(parts), notes, assumption)


def _part(found: Domination, tried: Attacks, interrupted: bool) -> Part:
    if found.proved:
        verdict = IMPLIED
    else:
        verdict = REFUTED if any(a.refutes for a in tried.assaults) else UNDETERMINED
    point = found.point
    return Part(
        size=found.size,
        verdict=verdict,
        share=Fraction(1) if found.proved else found.share,
        boxes=found.boxes,
        point=None if point is None else point.point,
        ratio=None if point is None else found.ratio,
        assaults=tuple(sorted(tried.assaults, key=_strength, reverse=True)),
        notes=tuple(dict.fromkeys(tried.notes)),
        stopped=found.stopped,
        interrupted=interrupted,
    )


def _strength(assault: Assault) -> tuple[bool, float]:
    return assault.refutes and assault.enclosed, assault.fraction


def _check(claim: Claim, chain: ChainClaim) -> None:
    """Raise SpecError for a coefficient that is negative or undefined on the box."""
    box = {name: Range.of(*ends) for name, ends in claim.box.items()}
    source = "chain" if claim.file.uniform is None else "uniform"
    rows: dict[tuple[str, ...], Sequence[Expression | None]] = {
        ("coefficients", key): row for key, row in chain.coefficients.items()
    }
    rows[source,] = [x for row in chain.constants.values() for x in row]
    for path, row in rows.items():
        for expression in filter(None, row):
            problem, expected = None, "an expression that is defined on the whole box"
            try:
                whole = enclosure(expression.node, box)
                if whole.lo < 0 and _negative_somewhere(claim, expression.node):
                    problem, expected = "a negative number for constants in the box", "numbers ≥ 0"
            except ZeroDivisionError:
                problem = "a divisor may be zero on the box"
            except OverflowError:
                problem = "the values on the box are too large to work with"
            except ExpressionError as error:
                problem = error.problem
            if problem is not None:
                raise _wrong(claim, path, problem, expression.source, expected)


def _negative_somewhere(claim: Claim, node: tuple[object, ...]) -> bool:
    """Whether an expression is negative at a corner or at the centre of the box."""
    for point in (*corners(claim.box), centre(claim.box)):
        value = enclosure(node, {name: Range.of(x, x) for name, x in point.items()})
        if value.hi < flint.fmpq(0):
            return True
    return False


def _wrong(
    claim: Claim, path: tuple[str, ...], problem: str, source: str, expected: str
) -> SpecError:
    fix = "change the expression, or the intervals of its symbols under `constants:`"
    return as_error([Problem(path, problem, source, expected, fix)], claim.places)
