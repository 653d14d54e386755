"""What is compared, and how each is started."""

from __future__ import annotations

import importlib
import importlib.util
from dataclasses import dataclass

from peers.problem import Problem, Run


@dataclass(frozen=True)
class Tool:
    """One implementation.

    Attributes
    ----------
    label
        As in tables and plots.
    needs
        Packages besides NumPy.
    blas
        Whether its matrix products use all threads; otherwise it divides replicas over
        threads itself, and products stay on one.
    extra
        Shown in the tables of the reference problems only.
    steps
        The fewest of a timed run: boundcalc evaluates the objective at both ends of it.
    """

    label: str
    module: str
    function: str = "prepare"
    needs: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ("logistic", "network")
    blas: bool = False
    extra: bool = False
    steps: int = 1

    @property
    def installed(self) -> bool:
        return all(importlib.util.find_spec(name) for name in self.needs)

    def prepare(self, problem: Problem, threads: int) -> Run:
        return getattr(importlib.import_module(f"peers.{self.module}"), self.function)(
            problem, threads
        )


TOOLS: dict[str, Tool] = {
    "boundcalc-numpy": Tool("boundcalc, NumPy", "with_boundcalc", "prepare_numpy", steps=20),
    "boundcalc-compiled": Tool(
        "boundcalc, compiled", "with_boundcalc", "prepare_compiled", steps=20
    ),
    "boundcalc-recording": Tool(
        "boundcalc, recording",
        "with_boundcalc",
        "prepare_recording",
        extra=True,
    ),
    "numpy-plain": Tool("NumPy, plain", "plain_numpy", blas=True),
    "numpy-tuned": Tool("NumPy, tuned by hand", "tuned_numpy", extra=True),
    "numba": Tool("numba, polynomial exp", "with_numba", needs=("numba", "scipy")),
    "numba-exp": Tool(
        "numba, its own exp",
        "with_numba",
        "prepare_library_exp",
        needs=("numba", "scipy"),
        extra=True,
    ),
    "jax": Tool("JAX, jit + vmap", "with_jax", needs=("jax",), blas=True),
    "torch": Tool("PyTorch, eager", "with_torch", needs=("torch",), blas=True),
    "torch-compile": Tool(
        "PyTorch, compiled",
        "with_torch",
        "prepare_compiled",
        needs=("torch",),
        kinds=("logistic",),
        blas=True,
        extra=True,
    ),
    "c": Tool("C by hand", "with_c", kinds=("logistic",), extra=True),
}
