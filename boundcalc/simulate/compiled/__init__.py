"""The compiled twin of the NumPy engine: a program written in C for one graph."""
