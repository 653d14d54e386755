"""Perturbation models: one per file, with exact moments and a sampler.

A new model is one file here that meets
:class:`~boundcalc.perturbations.base.Distribution` and one line in ``DISTRIBUTIONS``; one that
depends on the value meets :class:`~boundcalc.perturbations.transform.Transform`, with proved
bounds on its moments, and has its line in ``TRANSFORMS``.
Perturbations given by their moments alone have no law to sample and no file here.
"""

from __future__ import annotations

from boundcalc.perturbations.base import Array, ComponentMoments, Distribution, Sampler
from boundcalc.perturbations.bit_flip import BitFlip
from boundcalc.perturbations.constant import Constant
from boundcalc.perturbations.dependence import Dependence
from boundcalc.perturbations.gaussian import Gaussian
from boundcalc.perturbations.natural import Natural
from boundcalc.perturbations.number_format import NumberFormat
from boundcalc.perturbations.rand_k import RandK
from boundcalc.perturbations.schedules import (
    SCHEDULES,
    Always,
    Every,
    First,
    Last,
    Schedule,
    Steps,
    from_keys,
)
from boundcalc.perturbations.sign import Sign
from boundcalc.perturbations.sparsify import Sparsify
from boundcalc.perturbations.top_k import TopK
from boundcalc.perturbations.transform import Largest, Reach, Transform
from boundcalc.perturbations.two_point import TwoPoint
from boundcalc.perturbations.uniform import Uniform
from boundcalc.perturbations.vector import VectorMoments, thinned, vector_moments

__all__ = [
    "DISTRIBUTIONS",
    "SCHEDULES",
    "TRANSFORMS",
    "Always",
    "Array",
    "ComponentMoments",
    "Constant",
    "Dependence",
    "Distribution",
    "Every",
    "First",
    "Gaussian",
    "Largest",
    "Last",
    "Reach",
    "Sampler",
    "Schedule",
    "Steps",
    "Transform",
    "TwoPoint",
    "Uniform",
    "VectorMoments",
    "from_keys",
    "thinned",
    "vector_moments",
]

#: ``model`` of a perturbation in the spec → its law.
DISTRIBUTIONS: dict[str, type[Distribution]] = {
    "constant": Constant,
    "gaussian": Gaussian,
    "two_point": TwoPoint,
    "uniform": Uniform,
}

#: ``model`` of a perturbation that replaces the value → what it does.
TRANSFORMS: dict[str, type[Transform]] = {
    "bit_flip": BitFlip,
    "natural": Natural,
    "number_format": NumberFormat,
    "rand_k": RandK,
    "sign": Sign,
    "sparsify": Sparsify,
    "top_k": TopK,
}
