"""Perturbation models: one per file, with exact moments and a sampler."""
