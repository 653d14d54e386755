"""The page in a real browser: quiet, usable by keyboard, legible, and printable."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import browser_tools
import html_cases
import pytest
from browser_tools import axe_violations, clipboard, overflow, visit, wait_until
from html_cases import THEORIES, Cases
from test_html_page import check_links, check_tables

from boundcalc.report.cells import Code, Column, Document, Mark, Section, Strong, Table, Value
from boundcalc.report.html_page import MOST_BYTES, html_document
from boundcalc.resources import folder

browser = browser_tools.browser
cases = html_cases.cases

NUMBERS = ("0.5", "1e-9", "–", "2", "1.3e+1088", "-3", "∞", "1e-400", "10")
WORDS = ("fig", "–", "apple", "7", "pear", "", "Quince", "fig 10", "fig 9")
UP = ["-3", "1e-400", "1e-9", "0.5", "2", "10", "1.3e+1088", "∞", "–"]
SAID = "document.getElementById('live').textContent !== ''"
DOWN = ["∞", "1.3e+1088", "10", "2", "0.5", "1e-9", "1e-400", "-3", "–"]


@pytest.fixture(scope="module")
def sorting(tmp_path_factory: pytest.TempPathFactory) -> Path:
    cells = enumerate(zip(NUMBERS, WORDS, strict=True))
    rows = tuple((Code(f"op{10 - k}"), Value(n), w) for k, (n, w) in cells)
    columns = (Column("name", 3.0), Column(Strong("number")), Column("word", 3.0))
    table = Table("t", columns, rows)
    path = tmp_path_factory.mktemp("sorting") / "page.html"
    document = Document("Sorting", (), (Section("Coefficients", (table,)),))
    path.write_text(html_document(document, folder("templates")), encoding="utf-8")
    return path


def column(page: Any, number: int) -> list[str]:
    found: list[str] = page.eval_on_selector_all(
        "tbody tr", f"rows => rows.map(row => row.cells[{number}].textContent)"
    )
    return found


#: Two of the four are left to the longer runs.
LONG = pytest.mark.long
EACH = [
    pytest.param(name, marks=[LONG] if name in ("staleness", "shrinkage") else [])
    for name in THEORIES
]

# -------------------------------------------------------------------- four theories


@pytest.mark.parametrize("theory", EACH)
def test_structure(cases: Cases, theory: str) -> None:
    page = cases(theory).page
    found = html_cases.tree(page)
    check_links(found)
    check_tables(found)
    assert len(page.encode()) <= MOST_BYTES
    assert all(image.attributes["alt"] for image in found.all("img"))
    for annotation in found.all("annotation"):
        assert annotation.text
    bodies = [m.all("mrow") + m.all("mtable") for m in found.all("math")]
    assert all(bodies)
    text = "".join(body[0].text for body in bodies)
    assert "\\" not in text
    for heading in ("Verdicts", "Assumptions", "Coefficients", "Convergence", "Provenance"):
        assert heading in [e.text for e in found.all("h2")]
    for word in ("seed", "boundcalc", "numpy"):
        assert word in [e.text for e in found.all("th")]


@pytest.mark.parametrize("theory", EACH)
def test_quiet_and_accessible(browser: Any, cases: Cases, theory: str) -> None:
    # In the dark nothing differs but colours.
    for scheme, rules in (("light", ()), ("dark", ("color-contrast",))):
        with visit(browser, cases(theory).path, scheme=scheme) as seen:
            assert seen.page.locator("button.copy:visible").count() > 5
            assert not axe_violations(seen.page, *rules)
        assert seen.quiet, (seen.messages, seen.requests)


@pytest.mark.parametrize("theory", EACH)
def test_no_width_makes_the_page_scroll_sideways(browser: Any, cases: Cases, theory: str) -> None:
    for width in browser_tools.WIDTHS:
        with visit(browser, cases(theory).path, width=width) as seen:
            assert overflow(seen.page) == 0
            heights = seen.page.eval_on_selector_all(
                ".formula > math", "found => found.map(m => m.getBoundingClientRect().height)"
            )
            assert min(heights, default=20) > 10
        assert seen.quiet


# -------------------------------------------------------------------- policy


def test_policy_blocks_what_is_injected(browser: Any, cases: Cases, tmp_path: Path) -> None:
    page = cases("distributed").page
    tricks = (
        '<img src="https://example.org/a.png"><script>window.hit = 1</script>'
        '<img src="data:," onerror="window.hit = 2">'
        '<form action="https://example.org/"><button id="send">x</button></form>'
        '<iframe src="https://example.org/"></iframe>'
    )
    path = tmp_path / "page.html"
    path.write_text(page.replace("<footer>", tricks + "<footer>", 1), encoding="utf-8")
    with visit(browser, path) as seen:
        seen.page.evaluate("document.getElementById('send').click()")
        seen.page.wait_for_timeout(200)
        assert seen.page.evaluate("window.hit") is None
        assert seen.page.url.startswith("file:")
    blocked = [m for m in seen.messages if "Content Security Policy" in m]
    assert len(blocked) >= 4, seen.messages


# -------------------------------------------------------------------- sorting


def test_sorting_is_by_value(browser: Any, sorting: Path) -> None:
    with visit(browser, sorting) as seen:
        page = seen.page
        header = page.locator("th", has_text="number")
        orders = []
        for order in ("ascending", "descending", "none"):
            page.get_by_role("button", name="number", exact=True).click()
            assert header.get_attribute("aria-sort") == order
            orders.append(column(page, 1))
        assert orders == [UP, DOWN, list(NUMBERS)]
        for order in (1, -1):
            page.get_by_role("button", name="word", exact=True).click()
            words = ["apple", "fig", "fig 9", "fig 10", "pear", "Quince"][::order]
            found = column(page, 2)
            # Numbers before words, and what is missing last, either way.
            assert (found[:1], found[1:7], set(found[7:])) == (["7"], words, {"–", ""})
        page.get_by_role("button", name="name", exact=True).click()
        assert column(page, 0) == [f"op{k}" for k in range(2, 11)]
        assert header.get_attribute("aria-sort") == "none"
        wait_until(page, SAID)
        assert page.locator("#live").text_content() == "Sorted by name, ascending"
    assert seen.quiet


def test_rows_that_repeat_a_name_show_it_once_moved(browser: Any, tmp_path: Path) -> None:
    rows = (
        (Code("b"), Value("3"), Mark("holds", "holds")),
        ("", Value("1"), Mark("violated", "violated")),
        (Code("a"), Value("2"), "x"),
    )
    table = Table("t", (Column("name", 3.0), Column("n"), Column("verdict", 3.0)), rows)
    path = tmp_path / "page.html"
    document = Document("Sorting", (), (Section("A", (table,)),))
    path.write_text(html_document(document, folder("templates")), encoding="utf-8")
    with visit(browser, path) as seen:
        hidden = seen.page.locator(".ditto")
        assert hidden.bounding_box()["width"] <= 1
        seen.page.get_by_role("button", name="n", exact=True).click()
        assert column(seen.page, 0) == ["b", "a", "b"]
        assert hidden.bounding_box()["width"] > 4
        seen.page.get_by_role("button", name="name", exact=True).click()
        assert column(seen.page, 1) == ["2", "3", "1"]


def test_sorting_by_keyboard(browser: Any, sorting: Path) -> None:
    with visit(browser, sorting) as seen:
        page = seen.page
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        assert page.evaluate("document.activeElement.getBoundingClientRect().top") >= 0
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"
        reached = []
        for _ in range(8):
            page.keyboard.press("Tab")
            reached.append(page.evaluate("document.activeElement.textContent.trim()"))
            outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline == "solid", reached
            if reached[-1] == "number":
                break
        assert reached[-1] == "number"
        page.keyboard.press("Enter")
        assert column(page, 1) == UP
        assert page.evaluate("document.activeElement.textContent") == "number"
        page.keyboard.press("Space")
        assert column(page, 1) == DOWN


# -------------------------------------------------------------------- copying


def compiled(latex: str, place: Path) -> str:
    """Set a snippet by itself, with the packages that its first lines name."""
    packages = re.findall(r"\\usepackage(?:\[\w+\])?\{[\w,]+\}", latex)
    source = "\n".join(
        [r"\documentclass{article}", *packages, r"\begin{document}", latex, r"\end{document}"]
    )
    (place / "snippet.tex").write_text(source, encoding="utf-8")
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "snippet.tex"],  # noqa: S607
        cwd=place,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    return "" if done.returncode == 0 else done.stdout[-2000:]


def test_copied_latex_compiles(browser: Any, cases: Cases, tmp_path: Path) -> None:
    copied = {}
    with visit(browser, cases("perturbed").path) as seen:
        page = seen.page
        for button in page.locator("button.copy:visible").all():
            name = button.get_attribute("data-copy") or ""
            button.click()
            wait_until(
                page,
                "name => document.querySelector(`[data-copy=${name}]`).textContent === 'Copied'",
                name,
            )
            copied[name] = clipboard(page)
        assert page.locator("#live").text_content() in ("", "LaTeX copied", "The spec copied")
    tables = [text for name, text in copied.items() if name.startswith("table")]
    formulas = [text for name, text in copied.items() if name.startswith("formula")]
    assert len(tables) > 8
    assert len(formulas) > 8
    assert all(r"\begin{tabular}" in text for text in tables)
    if shutil.which("pdflatex") is None:
        pytest.skip("no pdflatex to set what was copied")
    displays = [
        rf"\usepackage{{amsmath,amssymb}}\[{text}\]".replace(r"\usepackage{amsmath,amssymb}", "")
        for text in formulas
    ]
    document = "\n\n".join([*tables, "% \\usepackage{amsmath,amssymb}", *displays])
    assert compiled(document, tmp_path) == ""


def test_hostile_tables_compile(tmp_path: Path) -> None:
    import report_specs

    from boundcalc.report.html_latex import latex_table

    if shutil.which("pdflatex") is None:
        pytest.skip("no pdflatex to set what was copied")
    rows = tuple((Code(n), n, (Value("1e-9"), Mark("violated", n))) for n in report_specs.NASTY)
    columns = (Column("a", 3.0), Column(report_specs.NASTY[0], 3.0), Column("n"))
    table = Table(report_specs.NASTY[1] + "\n\\end{document}", columns, rows, report_specs.NASTY)
    assert compiled(latex_table(table), tmp_path) == ""


def test_formulas_in_selected_text_are_copied_as_latex(browser: Any, cases: Cases) -> None:
    with visit(browser, cases("perturbed").path) as seen:
        page = seen.page
        page.evaluate(
            """() => {
              const list = document.querySelector("#summary ul");
              getSelection().selectAllChildren(list);
            }"""
        )
        page.keyboard.press("Control+C")
        text = clipboard(page)
    assert r"$\mathbb{E}\lVert\tilde u-u\rVert^2\le$" in text
    assert "annotation" not in text
    assert text.count("\n") == 2


def test_spec_is_copied_whole(browser: Any, cases: Cases) -> None:
    case = cases("distributed")
    with visit(browser, case.path) as seen:
        seen.page.locator("summary", has_text="Show the spec").click()
        seen.page.get_by_role("button", name="Copy the spec").click()
        wait_until(seen.page, SAID)
        assert clipboard(seen.page) == case.spec


# -------------------------------------------------------------------- theme, contents, print


def test_theme_follows_the_system_and_the_button(browser: Any, cases: Cases) -> None:
    light, dark = "rgb(255, 255, 255)", "rgb(18, 21, 26)"

    def colour(page: Any) -> str:
        found: str = page.evaluate("getComputedStyle(document.body).backgroundColor")
        return found

    with visit(browser, cases("distributed").path, scheme="dark") as seen:
        assert colour(seen.page) == dark
        seen.page.emulate_media(media="print")
        assert colour(seen.page) == light
        seen.page.emulate_media(media="screen")
        seen.page.get_by_role("button", name="Light theme").click()
        assert colour(seen.page) == light
        seen.page.emulate_media(color_scheme="light")
        assert colour(seen.page) == light
        seen.page.get_by_role("button", name="Dark theme").click()
        assert colour(seen.page) == dark
        seen.page.reload()
        assert colour(seen.page) == dark
        seen.page.emulate_media(media="print")
        assert colour(seen.page) == light
    assert seen.quiet


def test_page_without_scripts_is_whole(browser: Any, cases: Cases) -> None:
    with visit(browser, cases("distributed").path, java_script_enabled=False) as seen:
        assert seen.page.locator("button:visible").count() == 0
        assert seen.page.locator("main table").count() > 5
        assert seen.page.locator(".toc a:visible").count() > 8
    assert not seen.requests


def test_contents_fold_on_a_phone_and_follow_on_a_desk(browser: Any, cases: Cases) -> None:
    path = cases("distributed").path
    with visit(browser, path, width=390) as seen:
        assert seen.page.locator(".toc a:visible").count() == 0
        seen.page.locator(".toc summary").click()
        seen.page.get_by_role("link", name="Convergence").click()
        assert seen.page.evaluate("location.hash") == "#convergence"
    with visit(browser, path, width=1440) as seen:
        current = ".toc a[aria-current]"
        assert seen.page.locator(current).text_content() == "Summary"
        seen.page.evaluate("document.getElementById('convergence').scrollIntoView()")
        wait_until(
            seen.page,
            "document.querySelector('.toc a[aria-current]').textContent === 'Convergence'",
        )
        assert seen.page.locator(current).bounding_box()["y"] >= 0


def test_wide_boxes_say_so(browser: Any, cases: Cases) -> None:
    with visit(browser, cases("perturbed").path, width=390) as seen:
        page = seen.page
        box = page.query_selector(".scroll[data-more]")
        box.evaluate("element => { element.scrollLeft = element.scrollWidth; }")
        wait_until(page, "element => !element.hasAttribute('data-more')", box)
        wide = page.locator(".formula[data-more]")
        assert wide.count() > 0
        assert {e.get_attribute("tabindex") for e in wide.all()} == {"0"}


def test_print_opens_what_is_folded_and_drops_buttons(browser: Any, cases: Cases) -> None:
    with visit(browser, cases("distributed").path, scheme="dark") as seen:
        page = seen.page
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        page.emulate_media(media="print")
        assert page.locator("#spec-text").is_visible()
        assert page.locator("button.copy:visible").count() == 0
        assert page.locator("nav").is_hidden()
        page.emulate_media(media="screen")
        page.evaluate("dispatchEvent(new Event('afterprint'))")
        assert page.locator("#spec-text").is_hidden()
        assert page.pdf(format="A4").startswith(b"%PDF")
    assert seen.quiet
