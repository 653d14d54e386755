"""Entries of the gallery; see gallery/base.py."""
