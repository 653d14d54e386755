"""What a reader must know before using a number, and the citation."""

from __future__ import annotations

from boundcalc.perturbations.formats.table import FORMATS
from boundcalc.theories.shrinkage.formats.pieces import pieces
from boundcalc.theories.shrinkage.rounding_statements import deterministic
from boundcalc.theories.shrinkage.setting import Case
from boundcalc.theories.values import Citation

YUN = Citation(
    "YUN",
    "V.-D. Yun, Why Does Stochastic Gradient Descent Slow Down in Low-Precision Training?, "
    "arXiv 2508.07142 (versions 1 to 3: SGD Convergence under Stepsize Shrinkage in Low-Precision "
    "Training)",
    """@misc{YUN,
  author        = {Yun, Vincent-Daniel},
  title         = {Why Does Stochastic Gradient Descent Slow Down in Low-Precision Training?},
  year          = {2025},
  eprint        = {2508.07142},
  archivePrefix = {arXiv}
}""",
)

MODEL = (
    "unbiased stochastic rounding does not shrink: its q is 1; underflow, truncation and clipping "
    "do, and a measured ratio of norms, received to true gradient, is no q: it counts the noise "
    "and can exceed 1"
)

FITTED = (
    "q and the noise are fitted to the gradient law of the spec, not proved: such "
    "rounding leaves a mean that depends on the iterate, which the theory excludes"
)

FITTED_NOISE = (
    "stochastic rounding is unbiased, but its noise is fitted to the gradient law of the spec, not "
    "proved: a gradient of another size has other noise. Proved bounds need q: 1 and a "
    "quantization_noise that holds for every gradient (docs/theory-shrinkage.md, section 11.5)"
)

EXACT = (
    "the gradient is exact (gradient_noise: 0) and rounded without randomness: q and the noise of "
    "the gradient law do not describe it, and only Theorem 11.9 is used"
)

NO_LEAST = (
    "no uniform q_min > 0 exists for this format: an exact gradient component below {edge} becomes "
    "0, so that its factor is 0; the fit holds on average over the law only"
)


def cautions(case: Case) -> tuple[str, ...]:
    """What must be known before any of it is used."""
    found = [MODEL]
    projection, section = case.projection, case.own.format
    if projection is not None and section is not None:
        if deterministic(case):
            found.append(EXACT)
        if projection.unbiased:
            found.append(FITTED_NOISE)
        else:
            found.append(FITTED)
            edge = _dead_edge(case)
            if edge is not None:
                found.append(NO_LEAST.format(edge=f"{edge:.6g}"))
        if projection.unbiased and projection.saturated > 0:
            found.append(
                "stochastic rounding is unbiased up to the largest number of the format; a share "
                f"{projection.saturated:.2g} of the law lies beyond it"
            )
        if float(projection.q) > 1:
            found.append(
                "here the fitted q exceeds 1: rounding to nearest can lengthen gradients, and the "
                "step limit is 1/(Lq)"
            )
    if case.kind == "past" and not case.own.compensation:
        found.append(
            "with factors that depend on the past the average of all gradients has the floor "
            "Lμ(σ² + σ_e²)/q_min, and no statement of the form with σ² + σ_e²/q_min holds for it "
            "(docs/theory-shrinkage.md, section 11.2)"
        )
    return tuple(found)


def _dead_edge(case: Case) -> float | None:
    section = case.own.format
    assert section is not None  # noqa: S101 - the caller has looked
    made = pieces(FORMATS[section.name], section.rounding, section.flush)
    kept = made.start[made.high > 0]
    return float(kept[0]) if len(kept) and kept[0] > 0 else None
