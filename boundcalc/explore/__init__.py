"""Pages whose numbers follow their controls: the recurrences as programs that a browser runs.

In order: what a spec uses its symbols for (``usage``); the template, a spec in which all that may
move is a symbol (``template``, with ``levels``, ``stated`` and ``regions``); the recurrences, run
once on a tape (``recording``, ``variant``); other depths (``depth``); ranges in which float64 is
enough (``ranges``, ``safety``); the model and its script (``model``, ``script``); the page.
"""
