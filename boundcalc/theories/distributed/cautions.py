"""What a reader must know before using the numbers: docs/theory-distributed.md, section 12.5."""

from __future__ import annotations

from boundcalc.arithmetic import Scalar
from boundcalc.theories.distributed.noise_model import Setting
from boundcalc.theories.distributed.section import DistributedSection


def cautions(
    section: DistributedSection, s: Setting, start: float | None = None
) -> tuple[str, ...]:
    """Those that apply to a setting.

    Parameters
    ----------
    start
        ‖∇f‖ at the start, where it is known.
    """
    found = []
    empty = empty_range(section, s.gradient_bound, start)
    if empty:
        found.append(empty)
    compressed = section.algorithm != "dsignsgd"
    curved, unbounded = s.L1 != 0, s.noisy and s.truncation is None
    if compressed and curved and unbounded:
        found.append(
            "With L1 > 0 and unbounded noise the expectations may be infinite: a run of D(C)SGD "
            "on x⁴/4 escapes with positive probability at every fixed step. Read statements "
            "about means as given no escape, or cut the noise (`truncation`)."
        )
    if compressed and (s.A is None or s.B is None):
        found.append(
            "Student's t with ν ≤ 2 has infinite variance: no statement about D(C)SGD holds."
        )
    if compressed and curved and section.gradient_bound is None:
        found.append(
            "The step condition holds where ‖∇f‖ stays below the number that it is evaluated at; "
            "put for E‖∇f‖, as published, it takes E[‖∇f‖·‖∇f‖²] apart, which is no theorem."
        )
    if compressed and section.steps.type == "normalised":
        found.append(
            "The normalised schedule prescribes the whole step 2ϵs_k/((L0 + L1‖∇f‖)(1 + A)): "
            "`training.step_size` is only the modified equation's unit of time."
        )
    if not compressed:
        found.append(
            "ℓ_ν and the step conditions ηη_k < ℓ_ν/K rest on a bounded signal-to-noise range; "
            "the discrete statement does not, and needs no moment of the noise."
        )
    if section.clip is not None:
        found.append("Clipped gradients are biased: no statement here is about them.")
    return tuple(found)


def empty_range(section: DistributedSection, bound: Scalar | None, start: float | None) -> str:
    """Why what is said while ‖∇f‖ ≤ g says nothing of a run; empty where it does say something.

    Parameters
    ----------
    bound, start
        g, and ‖∇f‖ at the start where it is known.
    """
    if bound is None or section.algorithm == "dsignsgd":
        return ""
    stops = section.steps.type in ("constant", "inverse_sqrt")
    spoken = "the statement counts no step" if stops else "the step condition speaks of no step"
    if bound == 0:
        return f"gradient_bound is 0: {spoken} at which there is a gradient."
    if start is not None and start > float(bound):
        return (
            f"‖∇f‖ is {start:.4g} at the start, beyond gradient_bound = {float(bound):.4g}: "
            f"{spoken} of this run."
        )
    return ""
