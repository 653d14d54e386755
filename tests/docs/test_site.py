"""The documentation site: its parts on every run, the whole of it in the long run."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import browser_tools
import doc_pages
import pytest
from built_site import Site
from site_modules import EXTENSIONS, extension

ROOT = doc_pages.ROOT
DOCS = ROOT / "docs"
browser = browser_tools.browser


def test_every_page_is_in_the_contents_once() -> None:
    pytest.importorskip("sphinx")
    contents = extension("contents")
    listed = [page for names in contents.SECTIONS.values() for page in contents.pages(names)]
    listed += [page for names in contents.BRANCHES.values() for page in contents.pages(names)]
    counted = Counter(listed)
    expected = {
        name.removeprefix("docs/").removesuffix(".md")
        for name in doc_pages.written_by_hand()
        if name.startswith("docs/")
    }
    assert expected - set(listed) == {"index"}
    # The first page of a branch stands in its section too.
    assert {page for page, n in counted.items() if n > 1} <= set(contents.BRANCHES)


def _shown(name: str) -> Path | None:
    """The page of the site that shows a file, if one does."""
    files = extension("repository_files")
    page = DOCS / files.PAGES[name] if name in files.PAGES else ROOT / name
    return page if page.is_relative_to(DOCS) else None


@pytest.mark.parametrize("name", [*filter(_shown, doc_pages.written_by_hand())])
def test_links_have_a_place_on_the_site(name: str) -> None:
    files = extension("repository_files")
    path = ROOT / name
    page = _shown(name)
    assert page is not None
    text = re.sub(r"^```.*?^```$", "", path.read_text(encoding="utf-8"), flags=re.M | re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        place = files.on_site(target, path, page)
        assert "://" in place or not place.startswith("/"), target


@pytest.mark.parametrize("page", extension("statements").theory_pages())
def test_every_formula_of_the_theory_is_mathml(page: str) -> None:
    text = (DOCS / f"{page}.md").read_text(encoding="utf-8")
    convert = extension("tex_to_mathml").mathml
    displays = re.findall(r"\$\$(.*?)\$\$", text, flags=re.S)
    inline = re.findall(r"\$([^$]+)\$", re.sub(r"\$\$.*?\$\$", "", text, flags=re.S))
    for tex in {*displays, *inline}:
        assert convert(tex, display=tex in displays).startswith("<math")
    assert len(inline) > 50


@pytest.mark.parametrize(
    ("tex", "part"),
    [
        (r"\lVert x \rVert^2", '<mo form="prefix" fence="true" stretchy="false">‖</mo><mi>x</mi>'),
        (r"\mathcal F", "<mi>ℱ</mi>"),
        (r"\mathbf B", "<mi>𝐁</mi>"),
        (r"\mathbb{1}", "<mn>𝟙</mn>"),
        (r"\mathrm{rms}(x)", "<mi>rms</mi>"),
        (r"a \thinspace b", '<mspace width="0.1667em" />'),
        (r"\tilde u", 'accent="true"'),
        (r"x \tag{T1}", "<mrow><mi>x</mi></mrow>"),
        (r"\begin{aligned} a &= b \\ c &= d \end{aligned}", '<mtd class="cell-right"><mi>a</mi>'),
        (r"\{1\}", '<mo form="prefix" stretchy="false">{</mo>'),
        (r"a < b", "<mo>&lt;</mo>"),
        (r"a < b", '<annotation encoding="application/x-tex">a &lt; b</annotation>'),
    ],
)
def test_tex_becomes_what_browsers_read(tex: str, part: str) -> None:
    assert part in extension("tex_to_mathml").mathml(tex, display=True)


@pytest.mark.parametrize("tex", [r"\nosuchcommand x", r"\frac{1", r"x \tag{a} \tag{b}"])
def test_a_formula_that_would_be_shown_wrongly_is_an_error(tex: str) -> None:
    module = extension("tex_to_mathml")
    with pytest.raises(module.UnknownTeXError):
        module.mathml(tex)


def test_formulas_in_backquotes_lose_them_and_code_keeps_its_own() -> None:
    pytest.importorskip("sphinx")
    plain = extension("github_markdown").plain_dollars
    text = "waits $`p_k`$, $a = $ `jac`, ($\\eta/($`offset`$+1)$), `$`x`$` and\n$$\n`y`\n$$\n"
    assert plain(text) == text.replace("$`p_k`$", "$p_k$")


def test_files_above_the_docs_have_pages() -> None:
    files = extension("repository_files")
    page = DOCS / "how-to/cite.md"
    assert files.on_site("../../CITATION.cff", page, page) == "../project/citation.md"
    assert files.on_site("../theory.md#references", page, page) == "../theory.md#references"
    assert files.on_site("../../specs/lqc.yaml", page, page) == "../reference/specs.md#lqc"
    with pytest.raises(files.NoPageError):
        files.on_site("../../pyproject.toml", page, page)


@pytest.mark.parametrize(
    ("line", "escaped"),
    [
        ("for |x| ≤ G, see ``a|b``", "for \\|x\\| ≤ G, see ``a|b``"),
        ("f*(x) and x_ y_i", "f\\*(x) and x\\_ y_i"),
        (":class:`a|b` stays", ":class:`a|b` stays"),
    ],
)
def test_signs_of_docstrings_mean_themselves(line: str, escaped: str) -> None:
    pytest.importorskip("numpydoc")
    assert extension("docstrings").escaped(line) == escaped


def test_types_are_those_that_the_module_imports() -> None:
    pytest.importorskip("sphinx")
    definition = extension("annotations").definition
    assert definition("OperatorGraph", "boundcalc.api") == "boundcalc.graph.model.OperatorGraph"
    assert definition("Theory", "boundcalc.api") == "boundcalc.theories.base.Theory"
    assert definition("Path", "boundcalc.api") is None
    assert definition("int", "boundcalc.api") is None


def test_the_schema_page_names_every_key() -> None:
    pytest.importorskip("sphinx")
    from boundcalc.theories.schema import full_schema

    schema = full_schema()
    page = extension("schema_page").page(schema)
    keys = set(schema["properties"])
    for section in schema["$defs"].values():
        keys |= set(section.get("properties", {}))
    assert [key for key in sorted(keys) if f"| `{key}` |" not in page] == []


def test_the_command_page_names_every_command_and_option() -> None:
    pytest.importorskip("sphinx")
    commands = extension("command_pages")
    found = commands.commands()
    assert {"compile", "report", "explore"} <= set(found)
    for name, command in found.items():
        section = commands.section(name, command)
        for parameter in command.params:
            for option in parameter.opts:
                if option.startswith("--"):
                    assert option in section, f"{name}: {option}"


def test_built_pages_are_read_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(
        '<title>A</title><a href="b.html#two">x</a><a href="#no">y</a><p id="p">$z$</p>'
        '<img src="https://example.org/i.png"><a href="c.html">c</a><pre>$k$</pre>'
    )
    (tmp_path / "b.html").write_text(
        '<title>B</title><p id="two">B</p><script src="s.js"></script>'
    )
    site = Site(tmp_path)
    assert sorted(site.broken()) == ["a.html: #no", "a.html: c.html", "b.html: s.js"]
    assert list(site.asked_for()) == ["a.html: https://example.org/i.png"]
    page = site.pages[tmp_path / "a.html"]
    assert (page.reader.title, "$z$" in page.prose, "$k$" in page.prose) == ("A", True, False)


# --- The whole site ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    for module in ("sphinx", "furo", "myst_nb", "numpydoc", "sphinx_design", "sphinx_copybutton"):
        pytest.importorskip(module)
    out = tmp_path_factory.mktemp("site") / "html"
    command = ["-m", "sphinx", "-W", "--keep-going", "-b", "html", str(DOCS), str(out)]
    done = subprocess.run(  # noqa: S603 - this interpreter
        [sys.executable, *command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return Site(out)


@pytest.mark.long
def test_the_site_builds_and_every_link_leads_somewhere(site: Site) -> None:
    assert list(site.broken()) == []
    assert list(site.asked_for()) == []


@pytest.mark.long
def test_titles_and_ids_are_unique(site: Site) -> None:
    titles = Counter(page.reader.title for page in site.pages.values())
    assert [title for title, count in titles.items() if count > 1 or not title] == []
    assert {
        str(path): page.reader.repeated for path, page in site.pages.items() if page.reader.repeated
    } == {}


@pytest.mark.long
def test_no_page_shows_tex(site: Site) -> None:
    raw = re.compile(r"\$[^$\s]|\\(?:frac|mathbb|lVert|sum|tilde|le)\b|\{theory-code\}|```")
    shown = {
        str(path.relative_to(site.folder)): found[:3]
        for path, page in site.pages.items()
        if (found := raw.findall(page.prose))
    }
    assert shown == {}


@pytest.mark.long
def test_statements_and_code_are_linked_both_ways(site: Site) -> None:
    theory = (site.folder / "theory.html").read_text(encoding="utf-8")
    statements = extension("statements").statements()
    for number, statement in statements.items():
        page = site.pages[(site.folder / f"{statement.page}.html")]
        assert statement.anchor in page.reader.ids, number
    assert theory.count('class="theory-code') > 40
    assert re.search(r'href="reference/code/boundcalc\.theories\.perturbed\.html#', theory)
    code = (site.folder / "reference/code/boundcalc.theories.perturbed.html").read_text("utf-8")
    assert 'href="../../theory.html#theorem-4-1"' in code


#: One of each kind of page: what Sphinx, the theme and each extension write.
_KINDS = (
    "index",
    "tutorial",
    "theory-distributed",
    "faq",
    "spec-reference",
    "notebooks/first-bounds",
    "gallery/index",
    "gallery/independence",
    "reference/commands",
    "reference/schema",
    "reference/code/boundcalc.rates",
)


def _pages(site: Site) -> list[Path]:
    return [site.folder / f"{name}.html" for name in _KINDS]


def _inside(path: Path) -> str | None:
    """Thousands of formulas, each of many elements, would take minutes."""
    return "math" if path.stem.startswith("theory") else None


def _looked_at(browser: object, path: Path, **how: Any) -> None:
    """Nothing in the console, no request elsewhere, no serious finding of axe-core."""
    with browser_tools.visit(browser, path, **how) as seen:
        seen.page.wait_for_load_state("load")
        for frame in seen.page.query_selector_all("iframe"):
            frame.scroll_into_view_if_needed()  # frames are loaded when they are seen
            frame.content_frame().wait_for_load_state("load")
        elsewhere = [url for url in seen.requests if not url.startswith("file:")]
        # The checker itself writes to the console: it cannot read style sheets on disk.
        assert (seen.messages, elsewhere) == ([], []), path.name
        found = browser_tools.axe_violations(seen.page, exclude=_inside(path))
        assert found == [], f"{path.name} ({how}): {found}"


@pytest.mark.long
@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 390)])
def test_pages_are_quiet_and_accessible(
    site: Site, browser: object, scheme: str, width: int
) -> None:
    for path in _pages(site):
        _looked_at(browser, path, scheme=scheme, width=width)


@pytest.mark.long
@pytest.mark.parametrize("width", browser_tools.WIDTHS)
def test_no_page_is_wider_than_the_window(site: Site, browser: object, width: int) -> None:
    for path in [*_pages(site), site.folder / "theory.html"]:
        with browser_tools.visit(browser, path, width=width) as seen:
            over = browser_tools.overflow(seen.page)
            assert over == 0, f"{path.name} is {over} too wide at {width}"


def test_extensions_are_one_idea_each() -> None:
    lengths = {
        path.name: len(path.read_text(encoding="utf-8").splitlines())
        for path in EXTENSIONS.glob("*.py")
    }
    assert {name: n for name, n in lengths.items() if n > 200} == {}
