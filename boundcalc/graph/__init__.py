"""The operator graph: where a spec's names become objects and constants."""

from boundcalc.graph.build import build
from boundcalc.graph.model import OperatorGraph
from boundcalc.graph.numbers import ChainConstants, GraphConstants, Levels, UniformConstants
from boundcalc.graph.parts import Node, Perturbation, Site
from boundcalc.graph.reaches import site_reaches

__all__ = [
    "ChainConstants",
    "GraphConstants",
    "Levels",
    "Node",
    "OperatorGraph",
    "Perturbation",
    "Site",
    "UniformConstants",
    "build",
    "site_reaches",
]
