"""Formulas in LaTeX, evaluated: what the package prints is held against what it computes.

Products are written by juxtaposition, so letters are whatever the caller names, longest first.
"""

import re

import mpmath

_OPEN = {"(": ")", "{": "}"}


class NotArithmeticError(Exception):
    """The formula has something in it besides + - × / powers and roots."""


class Formula:
    """A recursive descent over pieces: sums of products of powers."""

    def __init__(self, latex, letters):
        text = re.sub(r"\\(left|right|Bigl?|Bigr|bigl?|bigr|,|;|!)(?![a-zA-Z])", "", latex)
        text = text.replace(r"\tfrac", r"\frac").replace("[", "(").replace("]", ")")
        names = sorted(letters, key=len, reverse=True)
        parts = [
            re.escape(name) + (r"(?![a-zA-Z])" if name[-1].isalpha() and "\\" in name else "")
            for name in names
        ]
        pattern = "|".join(
            [*parts, r"\\frac", r"\\sqrt", r"\\cdot", r"\d+", r"[-+(){}^]", r"\s+", "."]
        )
        self.pieces = [t for t in re.findall(pattern, text) if t.strip()]
        self.letters = letters
        self.at = 0

    def peek(self):
        return self.pieces[self.at] if self.at < len(self.pieces) else None

    def take(self, expected=None):
        piece = self.peek()
        if piece is None or (expected is not None and piece != expected):
            raise NotArithmeticError(f"{piece} in place of {expected}")
        self.at += 1
        return piece

    def value(self):
        found = self.sum()
        if self.peek() is not None:
            raise NotArithmeticError(self.peek())
        return found

    def sum(self):
        sign = -1 if self.peek() == "-" and self.take() else 1
        total = sign * self.product()
        while self.peek() in ("+", "-"):
            sign = 1 if self.take() == "+" else -1
            total += sign * self.product()
        return total

    def product(self):
        found = self.power()
        while self.peek() not in (None, "+", "-", ")", "}"):
            if self.peek() == r"\cdot":
                self.take()
            found *= self.power()
        return found

    def power(self):
        base = self.atom()
        while self.peek() == "^":
            self.take()
            base = mpmath.power(base, self.argument())
        return base

    def argument(self):
        return self.atom() if self.peek() != "{" else self.group()

    def group(self):
        close = _OPEN[self.take()]
        found = self.sum()
        self.take(close)
        return found

    def atom(self):
        piece = self.peek()
        if piece in ("(", "{"):
            return self.group()
        self.take()
        if piece in self.letters:
            return self.letters[piece]
        if piece.isdigit():
            return mpmath.mpf(piece)
        if piece == r"\frac":
            top = self.argument()
            return top / self.argument()
        if piece == r"\sqrt":
            return mpmath.sqrt(self.argument())
        raise NotArithmeticError(piece)


def latex_value(latex, letters):
    """The value of a formula; NotArithmeticError if it is none of plain numbers.

    >>> float(latex_value(r"\\frac{2x}{y^2}+\\sqrt{4}z_1", {"x": 3, "y": 2, "z_1": 5}))
    11.5
    """
    with mpmath.workdps(60):
        exact = {name: mpmath.mpf(value) for name, value in letters.items()}
        return Formula(latex, exact).value()
