"""Theories: what is assumed of a perturbed SGD, and what follows.

A theory is a folder with a ``theory.py`` that offers one :class:`~boundcalc.theories.base.Theory`,
and one line in :mod:`boundcalc.theories.registry`.  Perturbed passes are the first;
``theory: NAME`` in a spec chooses another.
"""
