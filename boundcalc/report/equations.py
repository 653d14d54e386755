r"""Long formulas broken into lines that fit.

A formula is split at its outermost plus and minus signs and the terms are packed into
lines.  Where one term alone is too wide, its widest bracket or numerator is given a
name, 𝖷₁, 𝖷₂, …, and is written out on lines of its own.
"""

from __future__ import annotations

from boundcalc.report.width import Tokens, closing, tokens, width

LINE = 43.0  # em that a displayed line may take
_MOST_LINES = 14  # beyond them a formula helps nobody
_INDENT = r"&\qquad "

_NO_SUM_AFTER = {"+", "-", "=", r"\le", r"\ge", "(", "[", r"\cdot", r"\times", "^", "_", "&", ","}
_OPENERS, _CLOSERS = {"{", "("}, {"}", ")"}


def arrange(
    left: str,
    right: str,
    line: float = LINE,
    relation: str = "=",
    names: dict[str, str] | None = None,
) -> tuple[str, ...] | None:
    r"""``left = right`` as aligned lines, or None where that takes too many.

    Parameters
    ----------
    left, right
        LaTeX mathematics.
    line
        Longest line in em.
    names
        Brackets that have a name already, with their names; new ones are added.

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
    known = dict(names or {})
    lines: list[str] = []
    waiting = [(left, relation, right)]
    while waiting:
        head, sign, body = waiting.pop(0)
        room = line - width(head) - 1.4
        terms = []
        for whole in split_sum(body):
            term = whole
            while width(term) > room:
                name = rf"\mathsf{{X}}_{{{len(known) + 1}}}"
                found = _lift(term, name, known)
                if found is None:
                    return None
                term, inside = found
                if inside not in known:
                    known[inside] = name
                    waiting.append((name, "=", inside))
            terms.append(term)
        packed = _pack(terms, room)
        lines.append(f"{head} &{sign} {packed[0]}")
        lines.extend(_INDENT + text for text in packed[1:])
        if len(lines) > _MOST_LINES:
            return None
    if names is not None:
        names.update(known)
    return tuple(lines)


def split_sum(latex: str) -> list[str]:
    r"""The terms of a sum, each with its sign.

    >>> split_sum(r"a - \frac{b + c}{d} + \left(e - f\right)^{2 + g} (h + k)")
    ['a', '- \\frac{b + c}{d}', '+ \\left(e - f\\right)^{2 + g}(h + k)']
    """
    found = tokens(latex)
    starts, depth = [0], 0
    for position, piece in enumerate(found):
        if piece in _OPENERS or piece == r"\left":
            depth += 1
        elif piece in _CLOSERS or piece == r"\right":
            depth -= 1
        elif piece in "+-" and depth == 0 and _binary(found, position):
            starts.append(position)
    ends = [*starts[1:], len(found)]
    return [join(found[start:end]) for start, end in zip(starts, ends, strict=True)]


def join(found: Tokens) -> str:
    r"""Tokens as LaTeX again, with spaces where they are needed.

    >>> join(tokens(r"\ell b+\frac{1}{2}"))
    '\\ell b + \\frac{1}{2}'
    """
    pieces: list[str] = []
    for position, piece in enumerate(found):
        before = found[position - 1] if position else ""
        spaced = piece in ("+", "-") and before not in ("{", "^", "_", "")
        after = before in ("+", "-") and (
            position < 2 or found[position - 2] not in ("{", "^", "_")
        )
        command = before[:1] == "\\" and before[-1:].isalpha() and piece[0].isalpha()
        if pieces and (spaced or after or command):
            pieces.append(" ")
        pieces.append(piece)
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


def _lift(term: str, name: str, known: dict[str, str]) -> tuple[str, str] | None:
    """The term with its widest outermost bracket or numerator named, and what was in it."""
    found = tokens(term)
    best: tuple[float, int, int, int, int] | None = None
    position = 0
    while position < len(found):
        piece, end = found[position], position
        if piece == r"\left":
            end = closing(found, position) + 1
            inner = (position + 2, end - 1)
            outer = (position, end + 1)
        elif (
            piece in (r"\frac", r"\sqrt")
            and position + 1 < len(found)
            and found[position + 1] == "{"
        ):
            end = closing(found, position + 1)
            inner = outer = (position + 2, end)
            if piece == r"\frac" and end + 1 < len(found) and found[end + 1] == "{":
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
    deeper = _lift(inside, name, known) if len(split_sum(inside)) == 1 else None
    if deeper is not None:
        # A numerator that is itself a product: name a factor of it instead.
        return join([*found[:start], *tokens(deeper[0]), *found[stop:]]), deeper[1]
    name = known.get(inside, name)
    return join([*found[:cut], *tokens(name), *found[resume:]]), inside
