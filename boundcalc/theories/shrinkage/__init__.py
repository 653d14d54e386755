"""Stepsize shrinkage: low-precision gradients that arrive shortened and with added noise.

g̃_k = q_k g_k + e_k with 0 < q_k ≤ 1 known before the sample, E[e_k | past, g_k] = 0 and
E‖e_k‖² ≤ σ_e².  [YUN]; docs/theory-shrinkage.md, section 11.
"""
