from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boundcalc.report.html_maths import aligned, mathml, mathml_lines

#: Commands that reports use, each in a small formula.
FORMULAS = (
    r"\mathbb{E}\lVert\tilde u-u\rVert^2\le 10^{-9}",
    r"\frac1T\sum_{t=0}^{T-1}\mathbb{E}\lVert\nabla\ell(w^{(t)})\rVert^2",
    r"C^e_{\varepsilon_{i+1}} = 3C_{\nabla f}^{2}h_{i}\!\left(3C_{\nabla f}^{2},\,1\right)",
    r"\mathrm{Var}_t \le \overline{\mathrm{Var}-\sigma^2} + \overline{\beta^2}",
    r"\max_i\kappa_i\min\Bigl\{m_i^2,\;m_i+\tfrac{m_i-1}{2\theta}\Bigr\}",
    r"\operatorname{tr}\Sigma_i, \operatorname{diag}(x), \mathcal R, \mathsf{X}_1",
    r"A'_{v,u} + {B'}_{2}^{2}",
    r"\text{50\% of a\_b} \texttt{x\_1}",
    r"\widetilde{u}\quad\hat k\quad\bar q\quad\langle e,g\rangle\quad z^{\top}",
    r"P(|g|>\max)\quad\|\nabla f\|\quad\Big|_{\ell=a}\quad x\mid y\quad\sqrt{C}",
)


def parsed(text: str) -> ET.Element:
    return ET.fromstring(text)  # noqa: S314 - what boundcalc wrote


def shown(element: ET.Element) -> str:
    """The text of the formula without its annotation."""
    body = element[0][0]
    return "".join(body.itertext())


@pytest.mark.parametrize("latex", FORMULAS)
@pytest.mark.parametrize("display", [True, False])
def test_no_command_is_left_over(latex: str, display: bool) -> None:
    math = parsed(mathml(latex, display=display))
    assert "\\" not in shown(math)
    assert not [c for c in shown(math) if "\ue000" <= c <= "\uf8ff"]
    assert math.findtext(".//annotation[@encoding='application/x-tex']") == latex
    assert not [e for e in math.iter() if "style" in e.attrib]


def test_bars_stand_on_their_sides() -> None:
    math = parsed(mathml(r"\lVert u\rVert\lvert a\rvert"))
    bars = [e for e in math.iter() if e.text in ("‖", "|")]
    assert [e.get("form") for e in bars] == ["prefix", "postfix", "prefix", "postfix"]
    assert {e.get("stretchy") for e in bars} == {"false"}


def test_a_minus_after_an_operator_is_a_sign() -> None:
    forms = {
        latex: [e.get("form") for e in parsed(mathml(latex)).iter() if e.text == "−"]
        for latex in ("a-b", "a=-b", "-b", r"\left(-1+a\right)", "(a)-b", "a'-b", "2^{-1}")
    }
    assert forms == {
        "a-b": [None],
        "a=-b": ["prefix"],
        "-b": ["prefix"],
        r"\left(-1+a\right)": ["prefix"],
        "(a)-b": [None],
        "a'-b": [None],
        "2^{-1}": ["prefix"],
    }


def test_a_plus_that_begins_a_line_has_a_left_side() -> None:
    math = parsed(mathml_lines(("a &= b", r"&\qquad + c")))
    assert [e.get("form") for e in math.iter() if e.text == "+"] == [None]


def test_fences_grow_around_what_is_tall() -> None:
    def stretchy(latex: str) -> set[str | None]:
        math = parsed(mathml(latex, display=True))
        return {e.get("stretchy") for e in math.iter() if e.text in ("(", ")")}

    assert stretchy(r"\left(a+b^2\right)") == {"false"}
    assert stretchy(r"\left(\frac{a}{b}\right)") == {"true"}
    assert stretchy(r"\left(\sum_{i}a_i\right)^2") == {"true"}


def test_exponents_belong_to_what_sized_brackets_hold() -> None:
    """A browser does not make a bracket larger that carries an exponent."""
    math = parsed(mathml(r"a\Bigl(b+\Bigl(\frac cd\Bigr)^2\Bigr)^{2n}+1", display=True))
    raised = [e for e in math.iter() if e.tag == "msup"]
    assert [("".join(e[0].itertext()), "".join(e[1].itertext())) for e in raised] == [
        ("(b+(cd)2)", "2n"),
        ("(cd)", "2"),
    ]
    assert {e[0].tag for e in raised} == {"mrow"}


def test_sums_have_limits_that_the_browser_places() -> None:
    tags = [e.tag for e in parsed(mathml(r"\left(\sum_{i=1}^{N}a_i+\sum_k b\right)")).iter()]
    assert tags.count("munderover") == 1
    assert tags.count("munder") == 1


def test_lines_are_rows_with_two_cells() -> None:
    math = parsed(mathml_lines(("a &= b", r"& = c \& d", "e &= f")))
    rows = math.findall(".//mtr")
    assert [len(row) for row in rows] == [2, 2, 2]
    assert math.get("display") == "block"
    assert ["".join(row[0].itertext()) for row in rows] == ["a", "", "e"]


def test_one_line_has_no_table() -> None:
    math = parsed(mathml_lines((r"a &\le b",)))
    assert math.find(".//mtable") is None
    assert math.findtext(".//annotation") == r"a \le b"


def test_copied_lines_are_an_environment() -> None:
    assert aligned(("a &= b", "&= c")) == "\\begin{aligned}\na &= b \\\\\n&= c\n\\end{aligned}"
    assert aligned(("a & = b",)) == "a = b"


def test_primes_stand_beside_their_letter() -> None:
    math = parsed(mathml("A'_{v}+B'"))
    assert not math.findall(".//msup")
    assert shown(math) == "A′v+B′"


def test_words_are_set_apart() -> None:
    math = parsed(mathml(r"\mu\max_k q_k + \max\{a\} + T^{-1}\ln T"))
    row = math[0][0]
    kinds = [e.tag for e in row]
    words = [k for k, e in enumerate(row) if "".join(e.itertext()).startswith(("max", "ln"))]
    before, after = zip(*[(kinds[k - 1], kinds[k + 1]) for k in words], strict=True)
    assert before == ("mspace", "mo", "mspace")
    assert after == ("mspace", "mo", "mspace")


def test_greek_capitals_are_upright() -> None:
    found = {e.text: e.get("mathvariant") for e in parsed(mathml(r"\Delta\delta\Sigma")).iter("mi")}
    assert found == {"Δ": "normal", "δ": None, "Σ": "normal"}


@given(st.text(st.characters(categories=("L", "N", "P", "S")), max_size=40))
def test_text_inside_formulas_is_escaped(name: str) -> None:
    # Names come into formulas escaped for LaTeX; whatever arrives, the result is a tree.
    latex = r"\text{" + "".join(c for c in name if c not in "\\{}$") + "}"
    assert {e.tag for e in parsed(mathml(latex)).iter()} <= {
        *("math", "semantics", "mrow", "mtext", "annotation", "mspace", "mi", "mo"),
    }


@pytest.mark.parametrize("latex", [r"\left(a", "a_", "a^b^c", r"\begin{x}a\end{y}"])
def test_what_cannot_be_converted_is_shown_as_it_is(latex: str) -> None:
    math = parsed(mathml(latex))
    assert shown(math) == latex == math.findtext(".//annotation")
