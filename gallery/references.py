"""The publications that entries refer to, in full."""

KZY = (
    "[KZY] B. Kong, H. Zhang, K. Yuan, *On the Convergence of Stochastic Gradient Descent with "
    "Perturbed Forward-Backward Passes*, arXiv:2602.20646."
)
XHH = (
    "[XHH] Xu, Huo, Huang, *On the Acceleration of Deep Learning Model Parallelism with "
    "Staleness*, CVPR 2020, arXiv:1909.02625."
)
OWN = "Stated and proved in boundcalc's documentation; in no paper."
