"""The gallery: statements with their settings, and numbers that must agree."""
