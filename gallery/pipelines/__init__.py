"""Pipelines: blocks that run forward with older weights than backward."""
