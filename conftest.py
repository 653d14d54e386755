"""What all tests share: none fails because a machine was busy."""

from hypothesis import settings

# On top of what is loaded: under CI Hypothesis draws the same examples every time.
settings.register_profile("boundcalc", settings(settings.default, deadline=None))
settings.load_profile("boundcalc")
