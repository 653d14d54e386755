"""Section 7 of [KZY] reproduced: what its figures and appendices show, run anew.

[KZY] is B. Kong, H. Zhang, K. Yuan, On the Convergence of Stochastic Gradient Descent with
Perturbed Forward-Backward Passes, arXiv 2602.20646.

- what an experiment is: ``base``; its sweep specs are in specs/section7
- a setting: ``running`` makes ``settings``; theory: ``floors``, ``laws`` → ``stationary``
- words: ``exponents`` → ``claims`` → ``findings``; pictures: ``drawing``
- the experiments: ``figure_2`` … ``figure_9``, ``appendix_a1``, ``appendix_a2``
- all together: ``reproduce``, and ``page`` for the documentation
"""

from boundcalc.experiments.registry import EXPERIMENTS
from boundcalc.experiments.reproduce import Outcome, reproduce

__all__ = ["EXPERIMENTS", "Outcome", "reproduce"]
