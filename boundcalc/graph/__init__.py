"""The operator graph: where a spec's names become objects and constants."""

from boundcalc.graph.build import build
from boundcalc.graph.model import Node, OperatorGraph, Perturbation
from boundcalc.graph.numbers import ChainConstants, Levels, UniformConstants

__all__ = [
    "ChainConstants",
    "Levels",
    "Node",
    "OperatorGraph",
    "Perturbation",
    "UniformConstants",
    "build",
]
