from __future__ import annotations

import json
import re
import struct
import zlib
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import html_cases
import pytest
import report_specs
from html_cases import Element

import boundcalc as bc
from boundcalc.errors import BoundcalcError
from boundcalc.report.cells import (
    Bullets,
    Code,
    Column,
    Document,
    Equation,
    Figure,
    Mark,
    Maths,
    Paragraph,
    Section,
    Table,
    Theorem,
    Value,
)
from boundcalc.report.html_blocks import FURTHER, outcome, rejoined
from boundcalc.report.html_page import MOST_BYTES, embedded, hashed, html_document, page_head
from boundcalc.report.html_spec import spec_text
from boundcalc.report.notation import joined
from boundcalc.resources import examples, folder
from boundcalc.spec.loading import loads

TEMPLATES = folder("templates")
TABLE = Table(
    ("Numbers of ", Code("f_1"), "."),
    (Column("name", 3.0), Column(Maths("x_1")), Column("verdict", 2.0)),
    (
        (Code("f_1"), Value("1e-9"), Mark("holds", "holds")),
        ("", Value("0.5"), Mark("violated", "violated")),
    ),
    ("A remark.",),
)
FIGURES = (Figure("graph", "A caption.", "A graph."), Figure("gone", "c"))
DOCUMENT = Document(
    "A < B & C",
    (Paragraph("All hold."),),
    (
        Section(
            "Verdicts", (TABLE, Figure("graph", "A caption.", "A graph."), Figure("gone", "c"))
        ),
        Section("In plain words", (Equation(("a &= b",)), Bullets((Maths("a"),)))),
        Section("Statements", (Theorem("T", (Equation((r"a &\\le b", "&= c")),), proved=False),)),
    ),
)


def png(path: Path, width: int = 3, height: int = 2) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    rows = zlib.compress(b"\0" * (height * (3 * width + 1)))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    content = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows)
    path.write_bytes(content + chunk(b"IEND", b""))
    return path.read_bytes()


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    figures = tmp_path_factory.mktemp("figures")
    png(figures / "graph.png")
    return html_document(DOCUMENT, TEMPLATES, figures, spec="name: <a> & 'b'\ngraph:\n  x: 1\n")


@pytest.fixture(scope="module")
def root(page: str) -> Element:
    return html_cases.tree(page)


def body_of(page: str, tag: str) -> list[str]:
    return re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)


def policy_of(root: Element) -> dict[str, list[str]]:
    meta = html_cases.one(root, "meta", **{"http-equiv": "Content-Security-Policy"})
    parts = (part.split() for part in (meta.attributes["content"] or "").split(";"))
    return {name: sources for name, *sources in parts}


def test_policy_forbids_all_but_what_is_inside(page: str, root: Element) -> None:
    policy = policy_of(root)
    assert policy["default-src"] == ["'none'"]
    assert policy["base-uri"] == policy["form-action"] == ["'none'"]
    assert policy["img-src"] == ["data:"]
    assert policy["script-src"] == [hashed(text) for text in body_of(page, "script")]
    assert policy["style-src"] == [hashed(text) for text in body_of(page, "style")]
    # The policy binds what comes after it.
    assert page.index("Content-Security-Policy") < page.index("<style>") < page.index("<script>")


def test_nothing_that_a_policy_would_block(page: str, root: Element) -> None:
    for element in root.all():
        assert not [name for name in element.attributes if name.startswith("on")]
        assert "style" not in element.attributes
        for name in ("src", "href"):
            address = element.attributes.get(name)
            assert address is None or address.startswith(("data:", "#")), address
    assert "http:" not in re.sub(r'http://www\.w3\.org/\S+?"', "", page)
    assert "https:" not in page


def test_landmarks_and_one_heading_of_the_first_rank(root: Element) -> None:
    assert html_cases.one(root, "html").attributes["lang"] == "en"
    for tag in ("header", "nav", "main", "footer", "h1", "title"):
        html_cases.one(root, tag)
    assert html_cases.one(root, "h1").text == "A < B & C"
    assert html_cases.one(root, "title").text == "A < B & C · boundcalc report"
    assert html_cases.one(root, "nav").attributes["aria-label"]
    skip = root.all("a")[0]
    assert skip.attributes["href"] == "#main"
    live = html_cases.one(root, "div", id="live")
    assert (live.attributes["role"], live.attributes["aria-live"]) == ("status", "polite")


def test_headings_do_not_skip_a_rank(root: Element) -> None:
    ranks = [int(e.tag[1]) for e in root.all() if re.fullmatch(r"h[1-6]", e.tag)]
    assert ranks[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(ranks))


def check_links(root: Element) -> None:
    names = [e.attributes["id"] for e in root.all() if "id" in e.attributes]
    assert len(names) == len(set(names))
    for element in root.all():
        for attribute in ("aria-labelledby", "data-copy"):
            wanted = element.attributes.get(attribute)
            assert wanted is None or wanted in names
        address = element.attributes.get("href") or ""
        assert not address.startswith("#") or address[1:] in names


def test_ids_and_links(root: Element) -> None:
    check_links(root)
    contents = [e.text for e in html_cases.one(root, "ol").all("a")]
    sections = [s.heading for s in DOCUMENT.sections]
    assert contents == ["Summary", *sections, "The spec"]


def check_tables(root: Element) -> None:
    for table in root.all("table"):
        assert len(table.all("caption")) == 1
        head, body = table.all("thead")[0], table.all("tbody")[0]
        assert all(e.attributes.get("scope") == "col" for e in head.all("th"))
        assert all(e.text.strip() for e in head.all("th"))
        wide = len(head.all("tr")[0].all("th") + head.all("tr")[0].all("td"))
        for row in body.all("tr"):
            assert row.children[0].tag == "th"  # type: ignore[union-attr]
            assert [e.attributes["scope"] for e in row.all("th")] == ["row"]
            assert len(row.all("th") + row.all("td")) == wide


def test_tables(root: Element) -> None:
    check_tables(root)
    table = html_cases.one(root, "table")
    numbers = [e.attributes.get("data-sort") for e in table.all("td")]
    assert numbers == ["1e-9", None, "5e-1", None]
    region = next(e for e in root.all("div") if table in e.children)
    assert region.attributes["role"] == "region"
    assert region.attributes["tabindex"] == "0"
    assert region.attributes["aria-label"] == "Table 1"


def test_every_formula_and_table_has_its_latex(root: Element) -> None:
    stored = json.loads(html_cases.one(root, "script", id="latex").text)
    assert list(stored) == ["table-1"]
    assert r"\begin{tabular}" in stored["table-1"]
    copied = [b.attributes["data-copy"] for b in root.all("button") if "data-copy" in b.attributes]
    assert copied == ["table-1", "formula-1", "formula-2", "spec-text"]
    for name in ("formula-1", "formula-2"):
        math = html_cases.one(html_cases.one(root, "div", id=name), "math")
        assert html_cases.one(math, "annotation").text


def test_buttons_work_without_scripts_or_are_not_there(root: Element) -> None:
    assert all("hidden" in b.attributes for b in root.all("button"))
    labels = [b.attributes.get("aria-label") or b.text for b in root.all("button")]
    assert len(labels) == len(set(labels))


def test_pictures_are_inside_and_described(root: Element) -> None:
    picture = html_cases.one(root, "img")
    assert picture.attributes["alt"] == "A graph."
    assert (picture.attributes["width"], picture.attributes["height"]) == ("3", "2")
    assert (picture.attributes["src"] or "").startswith("data:image/png;base64,")
    captions = [e.text for e in root.all("figcaption")]
    assert captions == ["Figure 1. A caption.", "Figure 2. c"]
    assert "The picture is in the folder of the report." in root.text


def test_a_figure_without_words_points_to_its_caption(tmp_path: Path) -> None:
    png(tmp_path / "graph.png")
    one = replace(DOCUMENT, sections=(Section("A", (Figure("graph", "caption"),)),))
    found = html_cases.tree(html_document(one, TEMPLATES, tmp_path))
    assert html_cases.one(found, "img").attributes["alt"] == "Figure 1, described by its caption"


def test_spec_is_shown_and_copied_as_it_is(root: Element) -> None:
    code = html_cases.one(root, "code", id="spec-text")
    assert code.text == "name: <a> & 'b'\ngraph:\n  x: 1\n"
    assert html_cases.one(html_cases.tree(html_document(DOCUMENT, TEMPLATES)), "h1")
    assert 'id="spec"' not in html_document(DOCUMENT, TEMPLATES)


def test_same_document_same_page(page: str, tmp_path: Path) -> None:
    png(tmp_path / "graph.png")
    spec = "name: <a> & 'b'\ngraph:\n  x: 1\n"
    assert page == html_document(DOCUMENT, TEMPLATES, tmp_path, spec=spec)


@pytest.mark.parametrize(
    ("marks", "worst"),
    [
        (("holds", "holds"), "holds"),
        (("holds", "undetermined"), "undetermined"),
        (("undetermined", "violated"), "violated"),
        ((), ""),
    ],
)
def test_outcome_is_the_worst_verdict(marks: tuple[str, ...], worst: str) -> None:
    columns = (Column("c", 2.0),)
    rows = tuple((Mark(m, m),) for m in marks)  # type: ignore[arg-type]
    sections = (
        Section("Assumptions", (Table("t", columns, ((Mark("violated", "refuted"),),)),)),
        Section("Verdicts", (Table("t", columns, rows),)),
    )
    assert outcome(sections) == worst


def test_tables_that_paper_cut_are_whole_again() -> None:
    first = Table("c", (Column("n", 2.0), Column("a"), Column("b")), (("x", "1", "2"),), ("r",))
    second = replace(
        first,
        caption=joined("c", FURTHER),
        columns=(Column("n", 2.0), Column("d")),
        rows=(("x", "3"),),
        remarks=("s",),
    )
    other = replace(second, caption="another")
    (section,) = rejoined((Section("A", (first, second, other)),))
    whole, last = section.blocks
    assert isinstance(whole, Table)
    assert [c.title for c in whole.columns] == ["n", "a", "b", "d"]
    assert whole.rows == (("x", "1", "2", "3"),)
    assert whole.remarks == ("r", "s")
    assert last == other


def test_a_wide_table_of_the_pipeline_is_whole_again() -> None:
    from boundcalc.report.fitting import fitted

    wide = Table(
        "t",
        (Column("id", 2.0), *(Column(str(k)) for k in range(70))),
        (tuple(str(k) for k in range(71)), tuple(str(-k) for k in range(71))),
        ("r",),
    )
    parts = fitted(wide)
    assert len(parts) > 2
    assert rejoined((Section("A", parts),))[0].blocks == (wide,)


def big(rows: int) -> Document:
    table = replace(TABLE, rows=tuple((f"operator {k}", Value(str(k)), "x") for k in range(rows)))
    return replace(DOCUMENT, sections=(Section("Coefficients", (table,)),))


@pytest.mark.parametrize("rows", [10, 5001, 20_000])
def test_page_is_bounded(rows: int) -> None:
    page = html_document(big(rows), TEMPLATES)
    assert len(page.encode()) <= MOST_BYTES
    found = html_cases.tree(page)
    shown = len(found.all("tbody")[0].all("tr"))
    said = re.search(r"(\d+) further rows are not shown here", found.text)
    assert shown + (int(said[1]) if said else 0) == rows
    assert shown >= min(rows, 1000)


def test_page_is_bounded_by_pictures_too(tmp_path: Path) -> None:
    (tmp_path / "graph.png").write_bytes(png(tmp_path / "graph.png") + bytes(3_000_000))
    page = html_document(DOCUMENT, TEMPLATES, tmp_path)
    assert len(page.encode()) <= MOST_BYTES
    assert "The picture is in the folder of the report." in page


@pytest.mark.parametrize(("letter", "count"), [("x", 300), ("Ω", 100)])
def test_page_is_bounded_whatever_comes(letter: str, count: int) -> None:
    flood = Section("Flood", tuple(Paragraph(letter * 10_000) for _ in range(count)))
    page = html_document(replace(DOCUMENT, sections=(flood,)), TEMPLATES, spec="y" * 100_000)
    assert len(page.encode()) <= MOST_BYTES
    assert "results.json" in page
    assert "too long for one page" in page


def test_hostile_report(tmp_path: Path) -> None:
    graph = bc.build(bc.loads(report_specs.nasty()))
    from boundcalc.report.write import write

    out = write(graph, tmp_path / "out", engine=None).folder
    page = (out / "report.html").read_text(encoding="utf-8")
    found = html_cases.tree(page)
    assert len(found.all("script")) == 3
    assert [e.tag for e in found.all("img")] == ["img"] * len(found.all("figure"))
    check_links(found)
    check_tables(found)
    assert found.all("h1")[0].text.startswith(r"\input{/etc/passwd}$x_1^2$ & 50% #1 ~{} <script>")
    assert loads(html_cases.one(found, "code", id="spec-text").text).name == graph.spec.name


@pytest.mark.parametrize("name", sorted(examples()))
def test_shown_spec_is_the_spec(name: str) -> None:
    spec = bc.load(examples()[name])
    again = loads(spec_text(spec))
    again._folder = spec.folder
    assert again == spec


def test_long_and_odd_specs() -> None:
    operators = ", ".join(f"{{id: f{k}}}" for k in range(9000))
    long = loads(f"{{version: 1, name: a, graph: {{operators: [{operators}]}}}}")
    text = spec_text(long)
    assert len(text) < 101_000
    assert re.search(r"cut: \d+ more characters", text)
    turned = loads(
        '{"version": 1, "name": "a\\u202eb: #c", "graph": {"operators": [{"id": "yes"}]}}'
    )
    text = spec_text(turned)
    assert all(c.isprintable() or c == "\n" for c in text)
    assert loads(text).name == "a\u202eb: #c"


def test_embedded_json_cannot_end_its_element() -> None:
    text = json.dumps({"a": "</script><!-- &\u2028"}, ensure_ascii=False)
    found = embedded(text)
    assert not set(found) & set("<>&\u2028\u2029")
    assert json.loads(found) == json.loads(text)


@pytest.mark.parametrize("text", ["a</script >", "</STYLE", "<!-- a"])
def test_scripts_that_would_end_early_are_refused(text: str) -> None:
    with pytest.raises(BoundcalcError, match="end it"):
        page_head("t", scripts=[text])
    with pytest.raises(BoundcalcError, match="end it"):
        page_head("t", styles=[text])
