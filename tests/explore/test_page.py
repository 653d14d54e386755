"""The explorer's file: what it holds, and that it can do no harm.  No browser is needed."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import boundcalc as bc
from boundcalc.errors import BoundcalcError, OutputError
from boundcalc.explore.page import PARTS, page_text, write_page
from boundcalc.resources import example, folder
from boundcalc.spec.loading import loads

HEBREW = "\u05d0\u05d1\u05d2"
HOSTILE = "</script><img src=x onerror=alert(1)>'\"`\\input(passwd)&amp;" + HEBREW

FORBIDDEN = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|DOMParser"
)


class Elements(HTMLParser):
    """Tags with their attributes, and the texts of scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {"script": [], "style": [], "data": []}
        self._inside: str | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag in ("script", "style"):
            self._inside = "data" if dict(attrs).get("type") == "application/json" else tag
            self.texts[self._inside].append("")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style"):
            self._inside = None

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.texts[self._inside][-1] += data

    def policy(self) -> dict[str, list[str]]:
        [content] = [
            attributes["content"]
            for tag, attributes in self.tags
            if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
        ]
        assert content is not None
        rules = [rule.split() for rule in content.split(";") if rule.strip()]
        return {name: sources for name, *sources in rules}

    def model(self) -> dict[str, Any]:
        [text] = self.texts["data"]
        found: dict[str, Any] = json.loads(text)
        return found


def graph(name: str) -> bc.OperatorGraph:
    return bc.build(bc.load(example(name)))


def chain(count: int, name: str = "{}", title: str = "chain") -> bc.OperatorGraph:
    """Sine operators, the first of which is perturbed."""
    ids = [name.format(k) for k in range(count)]
    spec = {
        "version": 1,
        "name": title,
        "graph": {
            "uniform": {"jac": 1, "lip": 1, "hess": 1, "hess_op": 1, "third": 1},
            "operators": [{"id": i, "type": "sine", "bias": True} for i in ids],
        },
        "loss": {"smoothness": 1, "initial_gap": 1, "gradient_noise": 0},
        "perturbations": [
            {"at": ids[0], "pass": "forward", "rms": "1/100", "mean": 0, "fourth": "1/50"}
        ],
        "training": {"step_size": "1/100", "horizon": 100},
    }
    return bc.build(loads(json.dumps(spec), name="chain", format="json"))


@pytest.fixture(scope="module")
def page() -> Elements:
    return Elements(page_text(graph("three-operators")))


def test_the_policy_names_every_script_and_style_and_nothing_else(page: Elements) -> None:
    policy = page.policy()
    assert policy["default-src"] == ["'none'"]
    assert policy["base-uri"] == policy["form-action"] == ["'none'"]
    assert policy["img-src"] == ["data:"]
    for kind, rule in (("script", "script-src"), ("style", "style-src")):
        sums = {
            f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
            for text in page.texts[kind]
        }
        assert set(policy[rule]) == sums
    assert "connect-src" not in policy


def test_it_asks_for_nothing(page: Elements) -> None:
    for tag, attributes in page.tags:
        assert tag not in ("iframe", "object", "embed", "img", "base"), tag
        for name, value in attributes.items():
            assert not name.startswith("on"), (tag, name)
            if name in ("src", "href", "action", "srcset"):
                assert value is not None
                assert value.startswith(("#", "data:,")), (tag, value)
    for style in page.texts["style"]:
        assert "url(" not in style
        assert "@import" not in style


def test_scripts_make_no_html_from_text() -> None:
    for part in PARTS:
        text = (folder("templates") / "explore" / part).read_text(encoding="utf-8")
        assert not FORBIDDEN.search(text), part


def test_families_look_as_in_the_figures_of_reports() -> None:
    from boundcalc.report.plots import LOOKS

    templates = folder("templates") / "explore"
    markers = (templates / "charts.js").read_text(encoding="utf-8")
    style = (templates / "explore.css").read_text(encoding="utf-8")
    width = 2.25
    assert f"stroke-width: {width};" in style
    shapes = {"s": "h6v6h-6z", "^": "h8l-4,-7z", "o": "a3.5,3.5 0 1,0 7,0"}
    for family, look in LOOKS.items():
        [marker] = re.findall(rf"^  {family}: \(x, y\) => (.*),$", markers, flags=re.M)
        assert shapes[look.marker] in marker
        [rule] = re.findall(rf"^\.line\.{family} {{(.*?)}}", style, flags=re.M | re.S)
        found = re.search(r"stroke-dasharray: ([\d. ]+);", rule)
        if look.line == "-":
            assert found is None
        else:
            assert found is not None
            dashes = [float(x) / width for x in found[1].split()]
            assert dashes == pytest.approx(look.line[1], rel=0.02)


def test_licences_of_bundled_code_are_in_the_page(page: Elements) -> None:
    assert any("Mike Bostock" in text for text in page.texts["script"])
    assert any("THE SOFTWARE IS PROVIDED" in text for text in page.texts["script"])


def test_the_model_is_the_engines(page: Elements) -> None:
    from boundcalc.explore.model import model

    made = model(graph("three-operators"))
    embedded = page.model()
    for control in embedded["controls"]:
        control.pop("math")
    assert embedded == json.loads(json.dumps(made))


def test_formulas_are_mathml_that_controls_name(page: Elements) -> None:
    templates = {attributes["id"] for tag, attributes in page.tags if tag == "template"}
    named = {c["math"] for c in page.model()["controls"] if c["latex"]}
    assert named == templates
    assert all(c["math"] is None for c in page.model()["controls"] if not c["latex"])
    assert sum(tag == "math" for tag, _ in page.tags) == len(templates)


def test_hostile_names_stay_text() -> None:
    made = chain(3, HOSTILE + "{}", title=HOSTILE)
    text = page_text(made)
    elements = Elements(text)
    assert "<img" not in text
    assert len(elements.texts["script"]) == 5
    assert elements.model()["name"] == made.name
    assert elements.model()["variants"][0]["operators"][0] == made.ids[0]
    assert not any(tag == "img" for tag, _ in elements.tags)
    assert "<" not in elements.texts["data"][0]


def test_names_of_ten_thousand_characters_are_refused() -> None:
    with pytest.raises(BoundcalcError, match="10001 characters long"):
        chain(2, "x" * 10_000 + "{}")


def test_a_long_name_is_cut_in_the_heading() -> None:
    text = page_text(chain(2, title="x" * 500))
    assert "x" * 301 not in re.sub(r'<script type="application/json".*?</script>', "", text)


@pytest.mark.parametrize("name", ["deep-uniform", "logistic-strongly-convex", "transformer-block"])
def test_shipped_specs_give_pages_of_moderate_size(name: str) -> None:
    assert len(page_text(graph(name)).encode("utf-8")) <= 1_500_000


def test_the_embedded_page_is_the_same_with_less() -> None:
    whole, part = page_text(graph("diamond")), page_text(graph("diamond"), embedded=True)
    assert "data-embedded" in part
    assert "data-embedded>" not in whole
    assert 'id="download-spec"' in whole
    assert 'id="download-spec"' not in part
    assert Elements(whole).model() == Elements(part).model()


def test_the_same_spec_gives_the_same_bytes() -> None:
    assert page_text(graph("diamond")) == page_text(graph("diamond"))


def test_other_theories_are_refused_with_the_reason() -> None:
    with pytest.raises(BoundcalcError, match="explorer"):
        page_text(graph("dsp-k3"))


def test_the_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    out.write_text("before", encoding="utf-8")
    with pytest.raises(OutputError):
        write_page(graph("diamond"), tmp_path / "missing" / "page.html")
    with pytest.raises(BoundcalcError):
        write_page(graph("dsp-k3"), out)
    assert out.read_text(encoding="utf-8") == "before"
    assert write_page(graph("diamond"), out) == out
    assert out.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


def test_the_bundle_mentions_no_host_but_the_namespaces() -> None:
    text = (folder("templates") / "vendor" / "d3.min.js").read_text(encoding="utf-8")
    assert set(re.findall(r"https?://([^/\"']+)", text)) == {"www.w3.org"}
    assert text.isascii()


def test_the_command_writes_the_file_and_opens_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import webbrowser

    from boundcalc.cli.explore import explore

    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", lambda address: opened.append(address) or True)
    monkeypatch.chdir(tmp_path)
    explore(example("logistic-nonconvex"), settings=["sigma_f=1/4"])
    [page] = tmp_path.iterdir()
    assert page.name == "logistic-nonconvex-explore.html"
    assert page.name in capsys.readouterr().out
    assert not opened
    [control] = [
        c for c in Elements(page.read_text()).model()["controls"] if c["label"] == "sigma_f"
    ]
    assert control["value"] == 0.25
    explore(example("diamond"), out=tmp_path / "other.html", show=True)
    assert opened == [(tmp_path / "other.html").as_uri()]
