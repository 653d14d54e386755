r"""Long formulas broken into lines that fit.

A formula is split at its outermost plus and minus signs and the terms are packed into
lines.  Where one term alone is too wide, its widest bracket or numerator is given a
name, 𝖷₁, 𝖷₂, …, and is written out on lines of its own.
"""

from __future__ import annotations

from boundcalc.report.width import Tokens, closing, tokens, width

LINE = 41.0  # em that a displayed line may take
_MOST_LINES = 14  # beyond them a formula helps nobody
_INDENT = r"&\qquad "

_NO_SUM_AFTER = {"+", "-", "=", r"\le", r"\ge", "(", "[", r"\cdot", r"\times", "^", "_", "&", ","}
_OPENERS, _CLOSERS = {"{", "("}, {"}", ")"}


def arrange(left: str, right: str, line: float = LINE, relation: str = "=") -> tuple[str, ...] | None:
    r"""``left = right`` as aligned lines, or None where that takes too many.

    Parameters
    ----------
    left, right
        LaTeX mathematics.
    line
        Longest line in em.

    Examples
    --------
    >>> arrange("x", "a + b")
    ('x &= a + b',)
    >>> for text in arrange("x", "aaaa + bbbb - cccc", line=10):
    ...     print(text)
    x &= aaaa + bbbb
    &\qquad - cccc
    >>> for text in arrange("x", r"2 \left(aaaaaaaa + bbbbbbbb\right)", line=11):
    ...     print(text)
    x &= 2\mathsf{X}_{1}
    \mathsf{X}_{1} &= aaaaaaaa
    &\qquad + bbbbbbbb
    """
    lines: list[str] = []
    waiting = [(left, relation, right)]
    names = 0
    while waiting:
        head, sign, body = waiting.pop(0)
        room = line - width(head) - 1.4
        terms = []
        for term in split_sum(body):
            while width(term) > room:
                found = _lift(term, rf"\mathsf{{X}}_{{{names + 1}}}")
                if found is None:
                    return None
                names += 1
                term, inside = found  # noqa: PLW2901 - the term, one bracket shorter
                waiting.append((rf"\mathsf{{X}}_{{{names}}}", "=", inside))
            terms.append(term)
        packed = _pack(terms, room)
        lines.append(f"{head} &{sign} {packed[0]}")
        lines.extend(_INDENT + text for text in packed[1:])
        if len(lines) > _MOST_LINES:
            return None
    return tuple(lines)


def split_sum(latex: str) -> list[str]:
    r"""The terms of a sum, each with its sign.

    >>> split_sum(r"a - \frac{b + c}{d} + \left(e - f\right)^{2 + g} (h + k)")
    ['a', '- \\frac{b + c}{d}', '+ \\left(e - f\\right)^{2 + g}(h + k)']
    """
    found = tokens(latex)
    starts, depth = [0], 0
    for position, token in enumerate(found):
        if token in _OPENERS or token == r"\left":
            depth += 1
        elif token in _CLOSERS or token == r"\right":
            depth -= 1
        elif token in "+-" and depth == 0 and _binary(found, position):
            starts.append(position)
    ends = [*starts[1:], len(found)]
    return [join(found[start:end]) for start, end in zip(starts, ends, strict=True)]


def join(found: Tokens) -> str:
    r"""Tokens as LaTeX again, with spaces where they are needed.

    >>> join(tokens(r"\ell b+\frac{1}{2}"))
    '\\ell b + \\frac{1}{2}'
    """
    pieces: list[str] = []
    for position, token in enumerate(found):
        before = found[position - 1] if position else ""
        spaced = token in ("+", "-") and before not in ("{", "^", "_", "")
        after = before in ("+", "-") and (position < 2 or found[position - 2] not in ("{", "^", "_"))
        command = before[:1] == "\\" and before[-1:].isalpha() and token[0].isalpha()
        if pieces and (spaced or after or command):
            pieces.append(" ")
        pieces.append(token)
    return "".join(pieces)


def _binary(found: Tokens, position: int) -> bool:
    return position > 0 and found[position - 1] not in _NO_SUM_AFTER


def _pack(terms: list[str], room: float) -> list[str]:
    """Terms in order, as many to a line as fit; later lines are indented."""
    lines = [terms[0]]
    used = width(terms[0])
    for term in terms[1:]:
        wide = width(term)
        if used + wide > room:
            lines.append(term)
            used = wide + 2.0
        else:
            lines[-1] += " " + term
            used += wide
    return lines


def _lift(term: str, name: str) -> tuple[str, str] | None:
    """The term with its widest outermost bracket or numerator named, and what was in it."""
    found = tokens(term)
    best: tuple[float, int, int, int, int] | None = None
    position = 0
    while position < len(found):
        token, end = found[position], position
        if token == r"\left":
            end = closing(found, position) + 1
            inner = (position + 2, end - 1)
            outer = (position, end + 1)
        elif token in (r"\frac", r"\sqrt") and position + 1 < len(found) and found[position + 1] == "{":
            end = closing(found, position + 1)
            inner = outer = (position + 2, end)
            if token == r"\frac" and end + 1 < len(found) and found[end + 1] == "{":
                end = closing(found, end + 1)
        else:
            position += 1
            continue
        size = width(join(found[inner[0] : inner[1]]))
        if inner[1] > inner[0] and (best is None or size > best[0]):
            best = (size, *inner, *outer)
        position = end + 1
    if best is None or best[0] <= width(name) + 1:
        return None
    _, start, stop, cut, resume = best
    inside = join(found[start:stop])
    deeper = _lift(inside, name) if len(split_sum(inside)) == 1 else None
    if deeper is not None:
        # A numerator that is itself a product: name a factor of it instead.
        return join([*found[:start], *tokens(deeper[0]), *found[stop:]]), deeper[1]
    return join([*found[:cut], *tokens(name), *found[resume:]]), inside
