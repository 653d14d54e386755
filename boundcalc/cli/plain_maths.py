"""LaTeX formulas of this package as one line of text, for the terminal."""

from __future__ import annotations

import re

_WORDS = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "Delta": "Δ", "varepsilon": "ε",
    "epsilon": "ϵ", "eta": "η", "theta": "θ", "kappa": "κ", "lambda": "λ", "Lambda": "Λ",
    "mu": "μ", "nu": "ν", "xi": "ξ", "Xi": "Ξ", "pi": "π", "rho": "ρ", "sigma": "σ",
    "Sigma": "Σ", "tau": "τ", "phi": "φ", "varphi": "φ", "Phi": "Φ", "psi": "ψ", "Psi": "Ψ",
    "omega": "ω", "Omega": "Ω", "chi": "χ", "ell": "ℓ", "nabla": "∇", "partial": "∂",
    "sum": "Σ", "prod": "Π", "int": "∫", "infty": "∞", "le": "≤", "leq": "≤", "ge": "≥",
    "geq": "≥", "ne": "≠", "neq": "≠", "approx": "≈", "sim": "∼", "in": "∈", "to": "→",
    "times": "×", "cdot": "·", "pm": "±", "lVert": "‖", "rVert": "‖", "Vert": "‖",
    "lvert": "|", "rvert": "|", "vert": "|", "mid": "|", "langle": "⟨", "rangle": "⟩",
    "lfloor": "⌊", "rfloor": "⌋", "lbrace": "{", "rbrace": "}",
    "lceil": "⌈", "rceil": "⌉", "ast": "*", "dots": "…",
    "ldots": "…", "cdots": "…", "max": "max", "min": "min", "sup": "sup", "inf": "inf",
    "log": "log", "ln": "ln", "exp": "exp", "sin": "sin", "cos": "cos", "operatorname": "",
    "mathbb": "", "mathrm": "", "mathcal": "", "mathbf": "", "text": "", "bar": "", "left": "",
    "right": "", "bigl": "", "bigr": "", "Bigl": "", "Bigr": "", "big": "", "quad": " ",
    "qquad": " ", "tfrac": "frac", "dfrac": "frac", "hat": "^", "tilde": "~", "top": "ᵀ",
    "prime": "′", "mathbbm": "", "lesssim": "≲", "propto": "∝", "circ": "∘", "forall": "∀",
}  # fmt: skip
_UP = str.maketrans("0123456789+-()nikTij", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁿⁱᵏᵀⁱʲ")
_DOWN = str.maketrans("0123456789+-()aeijknoprstux", "₀₁₂₃₄₅₆₇₈₉₊₋₍₎ₐₑᵢⱼₖₙₒₚᵣₛₜᵤₓ")
_CAN_UP = set("0123456789+-()nikTj")
_CAN_DOWN = set("0123456789+-()aeijknoprstux")
_ACCENTS = {"tilde": "\u0303", "bar": "\u0304", "hat": "\u0302"}
_FUNCTIONS = frozenset({"max", "min", "sup", "inf", "log", "ln", "exp", "sin", "cos"})
_HALVES = {"1/2": "½", "1/4": "¼", "3/4": "¾", "1/3": "⅓"}
#: What may follow a fraction without being taken for a part of it.
_ENDS = re.compile(
    r"\s*($|[-+=)\]}|,;<>]|\\(le|ge|leq|geq|lt|gt|right|rVert|rvert|rangle|rbrace|[bB]igg?[rm]?|quad|qquad|text)\b)"
)
_DEEPEST = 30


def plain_maths(latex: str) -> str:
    r"""A formula as text; what has no letter of its own stays readable.

    >>> plain_maths(r"\mathbb{E}\lVert\nabla f(x^n)\rVert^2\le\frac{2\Delta_0}{N\alpha}")
    'E‖∇f(xⁿ)‖² ≤ 2Δ₀/(Nα)'
    >>> plain_maths(r"\sqrt{c_4^2+4(1-\beta)^2c_3}"), plain_maths(r"q_{\min}")
    ('√(c₄²+4(1-β)²c₃)', 'q_min')
    >>> plain_maths(r"\frac{1}{L\max q_k}"), plain_maths(r"\frac1N\sum_n\tfrac12x_n")
    ('1/(L max qₖ)', '(1/N) Σₙ½xₙ')
    >>> plain_maths(r"\max_i\kappa_i\min\lbrace m_i^2,1\rbrace")
    'maxᵢ κᵢ min {mᵢ²,1}'
    """
    text = re.sub(r"\\[,;:! ]", " ", latex).replace("{}", "")
    text = _groups(text)
    text = re.sub(r"\s*([≤≥=≈∼→])\s*", r" \1 ", text)
    return re.sub(r"\s+", " ", text).strip()


def _groups(text: str, depth: int = 0) -> str:
    """Left to right: commands with their arguments, indices, and everything else as it is."""
    out, position, applied = "", 0, False  # applied: a function waits for what it applies to
    if depth > _DEEPEST:
        return text
    while position < len(text):
        char = text[position]
        if char in "^_":
            inner, position = _argument(text, position + 1)
            out += _index(char, _groups(inner, depth + 1))
        elif char == "\\":
            name = re.match(r"\\([A-Za-z]+|.)\s*", text[position:])
            assert name is not None  # noqa: S101 - a backslash is followed by something
            piece, position = _command(name[1], text, position + len(name[0]), depth)
            function = name[1] in _FUNCTIONS
            apart = applied or (function and out[-1:] not in ("", " ", "("))
            out, applied = out + " " * apart + piece, function
        elif char == "{":
            inner, position = _argument(text, position)
            out, applied = out + " " * applied + _groups(inner, depth + 1), False
        elif char in "&}":
            position += 1
        else:
            out, applied = out + " " * (applied and char.isalnum()) + char, False
            position += 1
    return out


def _command(name: str, text: str, position: int, depth: int) -> tuple[str, int]:
    if name in ("frac", "tfrac", "dfrac"):
        top, position = _argument(text, position)
        bottom, position = _argument(text, position)
        if f"{top}/{bottom}" in _HALVES:
            return _HALVES[f"{top}/{bottom}"], position
        parts = (_groups(top, depth + 1), _groups(bottom, depth + 1))
        found = "/".join(_in_brackets(part, k) for k, part in enumerate(parts))
        return (found if _ENDS.match(text[position:]) else f"({found}) "), position
    if name == "sqrt":
        inner, position = _argument(text, position)
        return "√" + _in_brackets(_groups(inner, depth + 1), 1), position
    if name in _ACCENTS:
        inner, position = _argument(text, position)
        plain = _groups(inner, depth + 1)
        return (plain + _ACCENTS[name] if len(plain) == 1 else plain), position
    return _WORDS.get(name, name), position


def _argument(text: str, position: int) -> tuple[str, int]:
    """What a command or an index applies to: a group, a command, or one letter."""
    if position >= len(text):
        return "", position
    if text[position] == "\\":
        name = re.match(r"\\([A-Za-z]+|.)", text[position:])
        length = len(name[0]) if name else 1
        return text[position : position + length], position + length
    if text[position] != "{":
        return text[position], position + 1
    level = 0
    for end in range(position, len(text)):
        level += {"{": 1, "}": -1}.get(text[end], 0)
        if level == 0:
            return text[position + 1 : end], end + 1
    return text[position + 1 :], len(text)


def _in_brackets(text: str, wanted: int) -> str:
    """Brackets where a product or a sum would be misread; a plain numerator needs fewer."""
    if wanted == 0:
        return f"({text})" if re.search(r"[-+ ≤=,]", text) else text
    bases = re.sub(r"[_^′ ⁿⁱʲᵏᵀ⁰¹²³⁴-⁹₀-₉ₐ-ₜᵢⱼᵣᵤ]", "", text)
    return f"({text})" if len(bases) > 1 and not bases.isdigit() else text


def _index(kind: str, text: str) -> str:
    possible, table = (_CAN_UP, _UP) if kind == "^" else (_CAN_DOWN, _DOWN)
    if text and set(text) <= possible:
        return text.translate(table)
    if text in ("*", "′", "ᵀ"):
        return text
    return f"{kind}({text})" if re.search(r"[-+ =]", text) else f"{kind}{text}"
