"""The explorer in a real browser, as a reader uses it."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import browser_tools
import pytest
from test_page import HEBREW, HOSTILE, chain, graph

import boundcalc as bc
from boundcalc.explore.page import write_page

browser = browser_tools.browser

CHARTS = ("profile", "horizon", "steps", "bits", "map", "network")


class Pages(dict[str, Path]):
    """Pages by name, each written when it is first asked for."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __missing__(self, name: str) -> Path:
        made = {
            "deep": lambda: graph("deep-uniform"),
            "pl": lambda: graph("logistic-strongly-convex"),
            "diamond": lambda: graph("diamond"),
            "hostile": lambda: chain(3, HOSTILE + "{}", title=HOSTILE),
            "long": lambda: chain(3, "x" * 199 + "{}", title="y" * 500),
        }[name]()
        self[name] = write_page(made, self.place / f"{name}.html")
        return self[name]


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return Pages(tmp_path_factory.mktemp("pages"))


def settle(page: Any) -> None:
    """Until every chart has followed the controls."""
    page.wait_for_selector("html[data-ready]")
    page.wait_for_selector('#charts-list[aria-busy="false"]')


def lines(page: Any) -> dict[str, str]:
    """What each chart draws."""
    found: dict[str, str] = page.evaluate(
        """(ids) => Object.fromEntries(ids.map((id) => {
            const parts = document.querySelectorAll(
              `#${id} .lines path, #${id} .cells rect, #${id} .link`);
            return [id, Array.from(parts, (part) => (part.getAttribute('d') ?? '')
              + (part.getAttribute('fill') ?? '') + (part.getAttribute('stroke-width') ?? '')
            ).join('|')];
        }))""",
        list(CHARTS),
    )
    return found


def numbers(page: Any, row: str) -> dict[str, str]:
    """A line of the table at the top, by family."""
    found: dict[str, str] = page.evaluate(
        """(key) => {
            const table = document.querySelector('#numbers table');
            const [, ...names] = Array.from(table.tHead.rows[0].cells, (cell) => cell.textContent);
            const line = table.querySelector(`tr[data-row="${key}"]`);
            const values = Array.from(line.querySelectorAll('.value'), (one) => one.textContent);
            return Object.fromEntries(names.map((name, k) => [name, values[k]]));
        }""",
        row,
    )
    return found


def slide(page: Any, key: str, to: int) -> None:
    page.evaluate(
        """([key, to]) => {
            const slider = document.querySelector(`[data-key="${key}"] input[type=range]`);
            slider.value = to;
            slider.dispatchEvent(new Event('input', { bubbles: true }));
        }""",
        [key, to],
    )


def type_in(page: Any, key: str, text: str) -> None:
    for fold in page.query_selector_all(".area-controls details:not([open])"):
        fold.evaluate("(one) => { one.open = true; }")
    field = page.locator(f'[data-key="{key}"] .field')
    field.fill(text)
    field.press("Enter")
    field.blur()


@pytest.mark.parametrize("name", ["deep", "pl", "diamond", "hostile", "long"])
def test_it_opens_from_disk_quietly_and_fits(
    browser: Any, pages: dict[str, Path], name: str
) -> None:
    with browser_tools.visit(browser, pages[name]) as seen:
        for width in browser_tools.WIDTHS:
            seen.page.set_viewport_size({"width": width, "height": 900})
            settle(seen.page)
            assert browser_tools.overflow(seen.page) == 0, width
        drawn = lines(seen.page)
    assert seen.quiet, (seen.messages, seen.requests)
    assert drawn["horizon"].count("M") >= 1


def test_own_setting_shows_the_numbers_that_python_prints(
    browser: Any, pages: dict[str, Path]
) -> None:
    made = graph("logistic-strongly-convex")
    rates = bc.rates(made)
    with browser_tools.visit(browser, pages["pl"]) as seen:
        settle(seen.page)
        for regime in ("nonconvex", "pl"):
            expected = {f: str(found.bound) for f, found in getattr(rates, regime).items()}
            assert numbers(seen.page, regime) == expected
        errors = numbers(seen.page, "error")
        status = seen.page.text_content('tr[data-row="nonconvex"] td:last-child .status')
        said = seen.page.text_content("#status")
    assert errors["sharp"] == str(bc.coefficients(made, family="sharp").error_bound())
    assert status == str(rates.nonconvex["sharp"].bound.status)
    assert said.startswith("The spec's own setting")


def test_what_the_spec_leaves_out_is_said(browser: Any, pages: dict[str, Path]) -> None:
    with browser_tools.visit(browser, pages["deep"]) as seen:
        settle(seen.page)
        assert "leaves out" in seen.page.text_content("#status")
        assert "loss.smoothness" in seen.page.text_content("#about")


def test_a_control_moves_its_curves_and_no_others(browser: Any, pages: dict[str, Path]) -> None:
    moved = {
        "horizon": {"steps", "bits", "map"},
        "step_size": {"horizon", "bits", "map"},
        "forward": {"horizon", "steps", "bits", "map"},
        "gradient_noise": {"horizon", "steps", "bits", "map"},
    }
    with browser_tools.visit(browser, pages["pl"]) as seen:
        settle(seen.page)
        before = lines(seen.page)
        for key, expected in moved.items():
            slide(seen.page, key, 640)
            settle(seen.page)
            after = lines(seen.page)
            assert seen.page.text_content("#status").startswith("Changed setting")
            assert {name for name in CHARTS if before[name] != after[name]} == expected, key
            seen.page.click(f'[data-key="{key}"] .reset')
            settle(seen.page)
            assert lines(seen.page) == before
            assert seen.page.text_content("#status").startswith("The spec's own setting")


def test_lines_end_at_the_limit(browser: Any, pages: dict[str, Path]) -> None:
    with browser_tools.visit(browser, pages["pl"]) as seen:
        settle(seen.page)
        ends = seen.page.eval_on_selector_all(
            "#steps .line.sharp",
            """(all) => all.filter((one) => one.closest('.lines')).map((one) =>
              Number(one.getAttribute('d').match(/([\\d.]+),[\\d.]+$/)[1]))""",
        )
        limit = seen.page.eval_on_selector("#steps .rule.sharp", "(one) => one.x1.baseVal.value")
        now = seen.page.eval_on_selector("#steps .rule.now", "(one) => one.x1.baseVal.value")
    assert len(ends) == 2
    assert ends == pytest.approx([limit, limit], abs=0.01)
    assert now < limit


def test_depth_moves_like_any_control(browser: Any, pages: dict[str, Path]) -> None:
    with browser_tools.visit(browser, pages["deep"], fragment="#depth=10") as seen:
        settle(seen.page)
        assert seen.page.input_value('[data-key="depth"] .field') == "10"
        assert "operators" in seen.page.text_content("#network-desc")
        shallow = numbers(seen.page, "error")
        type_in(seen.page, "depth", "50")
        settle(seen.page)
        deep = numbers(seen.page, "error")
        assert seen.page.text_content("#status").startswith("The spec's own setting")
        type_in(seen.page, "depth", "1000000")
        assert seen.page.is_visible('[data-key="depth"] .problem')
    assert float(deep["published"]) / float(deep["sharp"]) > 1e20
    assert float(shallow["published"]) / float(shallow["sharp"]) < 1e6
    assert seen.quiet, seen.messages


def test_constants_move_the_profile(browser: Any, pages: dict[str, Path]) -> None:
    with browser_tools.visit(browser, pages["deep"]) as seen:
        settle(seen.page)
        before = lines(seen.page)["profile"]
        slide(seen.page, "constants:jac", 600)
        settle(seen.page)
        assert lines(seen.page)["profile"] != before


def test_a_link_restores_the_page(browser: Any, pages: dict[str, Path]) -> None:
    with browser_tools.visit(browser, pages["pl"]) as seen:
        settle(seen.page)
        type_in(seen.page, "step_size", "1/7")
        slide(seen.page, "forward", 321)
        seen.page.check('input[name=regime][value="pl"]')
        seen.page.uncheck('#choices input[value="published"]')
        settle(seen.page)
        seen.page.wait_for_function("() => location.hash.includes('families')")
        seen.page.click("#copy-link")
        link = browser_tools.clipboard(seen.page)
        address = seen.page.url
        shown = {key: numbers(seen.page, key) for key in ("error", "nonconvex", "pl")}
        drawn = lines(seen.page)
    assert link == address
    fragment = link[link.index("#") :]
    assert "step_size=0.14285714285714285" in fragment
    assert "horizon=" not in fragment  # what is not changed is not named
    with browser_tools.visit(browser, pages["pl"], fragment=fragment) as seen:
        settle(seen.page)
        assert {key: numbers(seen.page, key) for key in shown} == shown
        assert lines(seen.page) == drawn
        assert seen.page.is_checked('input[name=regime][value="pl"]')
        assert not seen.page.is_checked('#choices input[value="published"]')
        assert not seen.page.is_visible("#notice")
        seen.page.click("#reset-all")
        settle(seen.page)
        seen.page.wait_for_function("() => !location.hash")
        assert seen.page.text_content("#status").startswith("The spec's own setting")
    assert seen.quiet, seen.messages


GARBAGE = (
    "#step_size=0.1&step_size",
    "#nonsense=1",
    "#step_size=1e999",
    "#step_size=-1",
    "#step_size=%E0%A4%A",
    "#~regime=<b>",
    "#~families=published,evil",
    "#__proto__=1&constructor=2",
    "#" + "x" * 30_000,
    "#step_size=<img src=x onerror=alert(1)>",
    "#horizon=2.5",
)


def test_a_garbage_link_is_opened_and_said_so(browser: Any, pages: dict[str, Path]) -> None:
    with browser_tools.visit(browser, pages["pl"], fragment="#nonsense=0") as seen:
        settle(seen.page)
        assert seen.page.is_visible("#notice")
        for fragment in GARBAGE:
            seen.page.click("#notice-close")
            assert not seen.page.is_visible("#notice")
            seen.page.evaluate("(text) => { location.hash = text; }", fragment)
            seen.page.wait_for_selector("#notice:not([hidden])")
            settle(seen.page)
            assert len(seen.page.text_content("#notice")) < 1200
            assert numbers(seen.page, "nonconvex")["sharp"] != "–", fragment
        seen.page.evaluate("() => { location.hash = '#horizon=77'; }")
        seen.page.wait_for_selector("#notice[hidden]", state="attached")
        assert seen.page.input_value('[data-key="horizon"] .field') == "77"
    assert seen.quiet, seen.messages


def test_everything_is_reached_and_moved_by_keyboard(browser: Any, pages: dict[str, Path]) -> None:
    with browser_tools.visit(browser, pages["pl"]) as seen:
        page = seen.page
        settle(page)
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "numbers-heading"
        reached = set()
        for _ in range(120):
            page.keyboard.press("Tab")
            reached.add(
                page.evaluate(
                    """() => { const one = document.activeElement;
                    const row = one.closest('[data-key]');
                    return (row ? row.dataset.key + ' ' : '') + one.tagName + ' '
                      + (one.type ?? '') + ' ' + (one.id || one.textContent.slice(0, 30)); }"""
                )
            )
        kinds = " ".join(reached)
        for wanted in ("step_size INPUT range", "step_size INPUT text", "horizon INPUT range"):
            assert wanted in kinds
        for wanted in ("SELECT", "SUMMARY", "checkbox", "radio", "SVG", "PNG"):
            assert wanted in kinds, wanted
        before = numbers(page, "nonconvex")
        page.focus('[data-key="horizon"] input[type=range]')
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("PageDown")
        settle(page)
        assert numbers(page, "nonconvex") != before
        page.keyboard.press("Home")
        assert page.input_value('[data-key="horizon"] .field') == "1"
        page.keyboard.press("Tab")
        page.keyboard.press("Control+A")
        page.keyboard.type("2000")
        page.keyboard.press("Enter")
        settle(page)
        assert numbers(page, "nonconvex") == before
        assert page.text_content("#live").startswith("Sharp bound")


def test_a_field_refuses_what_is_no_number_in_range(browser: Any, pages: dict[str, Path]) -> None:
    with browser_tools.visit(browser, pages["pl"]) as seen:
        settle(seen.page)
        before = numbers(seen.page, "nonconvex")
        row = seen.page.locator('[data-key="step_size"]')
        for text in ("", "abc", "1e999", "-1", "1/0", "0x10", "1,5", "Infinity", "1e-300"):
            type_in(seen.page, "step_size", text)
            assert row.locator(".field").get_attribute("aria-invalid") == "true", text
            assert row.locator(".problem").is_visible()
            assert numbers(seen.page, "nonconvex") == before
            row.locator(".field").press("Escape")
            assert not row.locator(".problem").is_visible()
            assert row.locator(".field").input_value() == "0.5"


def test_arrows_move_whole_numbers_by_one_at_least(browser: Any, pages: dict[str, Path]) -> None:
    with browser_tools.visit(browser, pages["pl"]) as seen:
        settle(seen.page)
        field = seen.page.locator('[data-key="batch"] .field')
        slide(seen.page, "batch", 0)
        found = [int(field.input_value())]
        seen.page.focus('[data-key="batch"] input[type=range]')
        for key in ("ArrowRight", "ArrowUp", "ArrowRight", "ArrowLeft", "ArrowDown"):
            seen.page.keyboard.press(key)
            found.append(int(field.input_value()))
        assert found == [1, 2, 3, 4, 3, 2]
        slide(seen.page, "batch", 1000)
        highest = int(field.input_value())
        seen.page.keyboard.press("ArrowRight")
        assert int(field.input_value()) == highest
        seen.page.keyboard.press("ArrowLeft")
        assert int(field.input_value()) < highest - 1


def test_a_fraction_at_the_limit_is_covered(
    browser: Any, pages: dict[str, Path], tmp_path: Path
) -> None:
    with browser_tools.visit(browser, pages["pl"], accept_downloads=True) as seen:
        settle(seen.page)
        for smoothness, step in (("5", "1/15"), ("5/3", "1/5"), ("7", "1/21"), ("7/9", "9/21")):
            type_in(seen.page, "smoothness", smoothness)
            type_in(seen.page, "step_size", step)
            settle(seen.page)
            shown = numbers(seen.page, "nonconvex")
            assert shown["published"] != "–", (smoothness, step)
            with seen.page.expect_download() as waiting:
                seen.page.click("#download-spec")
            waiting.value.save_as(tmp_path / "spec.json")
            rate = bc.rates(bc.build(bc.load(tmp_path / "spec.json"))).nonconvex["published"]
            expected = float(rate.bound)
            # The last of six digits is rounded up.
            assert expected * (1 - 1e-9) <= float(shown["published"]) <= expected * (1 + 1e-5)
        type_in(seen.page, "smoothness", "5")
        type_in(seen.page, "step_size", "0.0666667")
        settle(seen.page)
        assert "above the limit 1/(3L) = 0.06666666" in seen.page.text_content(".refusals")


def test_a_link_out_of_range_names_the_range(browser: Any, pages: dict[str, Path]) -> None:
    with browser_tools.visit(browser, pages["pl"], fragment="#forward=5000&horizon=0") as seen:
        settle(seen.page)
        text = seen.page.text_content("#notice")
        assert "forward=5000 (from 0.001 to 1000)" in text
        assert "horizon=0 (a whole number from 1 to" in text


def test_charts_have_words_and_tables(browser: Any, pages: dict[str, Path]) -> None:
    with browser_tools.visit(browser, pages["diamond"]) as seen:
        settle(seen.page)
        for name in CHARTS:
            desc = seen.page.text_content(f"#{name}-desc")
            assert len(desc) > 20, name
            assert "NaN" not in desc
            assert "undefined" not in desc
            seen.page.click(f"#{name} summary")
            seen.page.wait_for_selector(f"#{name} .data table td")
            cells = seen.page.eval_on_selector_all(
                f"#{name} .data td", "(all) => all.map((one) => one.textContent)"
            )
            assert cells
            assert not any(bad in cell for cell in cells for bad in ("NaN", "Infinity", "null"))
            heads = seen.page.eval_on_selector_all(
                f"#{name} .data th", "(all) => all.map((one) => one.scope)"
            )
            assert set(heads) == {"row", "col"}


def test_nothing_is_shown_as_a_number_that_is_none(browser: Any, pages: dict[str, Path]) -> None:
    fragment = "#step_size=500&smoothness=500"
    with browser_tools.visit(browser, pages["pl"], fragment=fragment) as seen:
        settle(seen.page)
        assert set(numbers(seen.page, "nonconvex").values()) == {"–"}
        status = seen.page.text_content('tr[data-row="nonconvex"] td:last-child .status')
        assert status == "undetermined"
        text = seen.page.inner_text("body")
        assert "NaN" not in text
        assert "Infinity" not in text
    assert seen.quiet, seen.messages


def test_the_exported_spec_gives_the_numbers_shown(
    browser: Any, pages: dict[str, Path], tmp_path: Path
) -> None:
    with browser_tools.visit(browser, pages["pl"], accept_downloads=True) as seen:
        settle(seen.page)
        slide(seen.page, "forward", 400)
        slide(seen.page, "horizon", 700)
        type_in(seen.page, "step_size", "0.037")
        type_in(seen.page, "symbol:sigma_b", "1/3")
        settle(seen.page)
        shown = {key: numbers(seen.page, key) for key in ("error", "nonconvex", "pl")}
        with seen.page.expect_download() as waiting:
            seen.page.click("#download-spec")
        waiting.value.save_as(tmp_path / waiting.value.suggested_filename)
    [saved] = tmp_path.iterdir()
    assert saved.suffix == ".json"
    again = bc.build(bc.load(saved))
    rates = bc.rates(again)
    for regime in ("nonconvex", "pl"):
        for family, text in shown[regime].items():
            expected = float(getattr(rates, regime)[family].bound)
            assert float(text) == pytest.approx(expected, rel=6e-6), (regime, family)
            assert float(text) >= expected * (1 - 1e-9)
    error = float(bc.coefficients(again, family="sharp").error_bound())
    assert float(shown["error"]["sharp"]) == pytest.approx(error, rel=6e-6)


def test_charts_are_saved_as_svg_and_png(
    browser: Any, pages: dict[str, Path], tmp_path: Path
) -> None:
    with browser_tools.visit(
        browser, pages["diamond"], scheme="dark", accept_downloads=True
    ) as seen:
        settle(seen.page)
        for name in CHARTS:
            for kind in ("SVG", "PNG"):
                with seen.page.expect_download() as waiting:
                    seen.page.click(f"#{name} .save button:has-text('{kind}')")
                waiting.value.save_as(tmp_path / f"{name}.{kind.lower()}")
        assert seen.page.evaluate("document.documentElement.dataset.theme") is None
        seen.page.click("[data-theme-toggle]")
        sharp = seen.page.evaluate(
            """() => { const one = document.createElement('i'); one.className = 'family-sharp';
            document.body.append(one); return getComputedStyle(one).color; }"""
        )
    for name in CHARTS:
        check_drawing(tmp_path / f"{name}.svg", "" if name == "map" else sharp)
        check_picture(tmp_path / f"{name}.png", tmp_path / f"{name}.svg")
    assert seen.quiet, seen.messages


def check_drawing(path: Path, colour: str) -> None:
    tree = ET.parse(path).getroot()  # noqa: S314 - written by the page
    space = "{http://www.w3.org/2000/svg}"
    assert tree.tag == f"{space}svg"
    background = tree.find(f"{space}rect")
    assert background is not None
    assert background.get("fill") == "#ffffff"
    assert tree.find(f"{space}title") is not None
    text = path.read_text(encoding="utf-8")
    assert "class=" not in text
    assert "var(" not in text
    assert "NaN" not in text
    assert colour in text  # that of the light theme


def check_picture(path: Path, drawing: Path) -> None:
    tree = ET.parse(drawing).getroot()  # noqa: S314 - written by the page
    data = path.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", data[16:24])
    assert (width, height) == tuple(2 * int(tree.get(side, "0")) for side in ("width", "height"))
    image = pytest.importorskip("PIL.Image").open(path).convert("RGB")
    assert image.getpixel((2, height - 3)) == (255, 255, 255)
    assert len(image.getcolors(1 << 24) or []) > 5


def test_latex_of_the_numbers(browser: Any, pages: dict[str, Path]) -> None:
    with browser_tools.visit(browser, pages["pl"]) as seen:
        settle(seen.page)
        slide(seen.page, "forward", 400)
        settle(seen.page)
        seen.page.click("#copy-latex")
        seen.page.wait_for_selector("#live:text-is('LaTeX copied')", state="attached")
        text = browser_tools.clipboard(seen.page)
        shown = numbers(seen.page, "nonconvex")
    assert text.count(r"\begin{tabular}{lrrr}") == 1
    assert text.count(r"\end{tabular}") == 1
    assert text.count("{") == text.count("}")
    assert "% forward = " in text
    for number in shown.values():
        assert number.partition("e")[0] in text
    body = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert {line.count("&") for line in body} == {3}


def test_families_and_regime_are_chosen(browser: Any, pages: dict[str, Path]) -> None:
    with browser_tools.visit(browser, pages["pl"]) as seen:
        settle(seen.page)
        whole = lines(seen.page)
        seen.page.uncheck('#choices input[value="published"]')
        seen.page.uncheck('#choices input[value="corrected"]')
        settle(seen.page)
        assert seen.page.locator("#horizon .lines .line").count() == 1
        # One family at least stays.
        seen.page.click('#choices input[value="sharp"]')
        assert seen.page.is_checked('#choices input[value="sharp"]')
        seen.page.check('#choices input[value="published"]')
        seen.page.check('#choices input[value="corrected"]')
        seen.page.check('input[name=regime][value="pl"]')
        settle(seen.page)
        after = lines(seen.page)
    assert after["horizon"] != whole["horizon"]
    assert after["profile"] == whole["profile"]


def test_hostile_names_are_text(browser: Any, pages: dict[str, Path]) -> None:
    with browser_tools.visit(browser, pages["hostile"]) as seen:
        settle(seen.page)
        assert seen.page.locator("img").count() == 0
        assert "</script><img" in seen.page.text_content("h1")
        labels = seen.page.eval_on_selector_all(
            "#controls-list label bdi", "(all) => all.map((one) => one.textContent)"
        )
        assert labels
        seen.page.click("#profile summary")
        first = seen.page.text_content("#profile .data tbody th bdi")
        assert first == HOSTILE + "0"
        assert HEBREW in first
    assert seen.quiet, seen.messages


@pytest.mark.parametrize("count", [250, pytest.param(5000, marks=pytest.mark.long)])
def test_many_operators_are_usable(browser: Any, tmp_path: Path, count: int) -> None:
    page = write_page(chain(count, "operator.{}"), tmp_path / "many.html")
    assert page.stat().st_size <= 1_500_000
    with browser_tools.visit(browser, page) as seen:
        settle(seen.page)
        assert browser_tools.overflow(seen.page) == 0
        assert seen.page.locator("#network").count() == 0
        assert seen.page.evaluate("document.querySelectorAll('*').length") < 4000
        assert lines(seen.page)["profile"].count("L") > 100
        before = numbers(seen.page, "nonconvex")["sharp"]
        slide(seen.page, "initial_gap", 900)
        settle(seen.page)
        after = numbers(seen.page, "nonconvex")["sharp"]
    assert float(after) > float(before)
    assert seen.quiet, seen.messages


@pytest.mark.parametrize("name", ["pl", pytest.param("deep", marks=pytest.mark.long)])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_serious_violation_of_accessibility(
    browser: Any, pages: dict[str, Path], scheme: str, name: str
) -> None:
    with browser_tools.visit(browser, pages[name], scheme=scheme) as seen:
        settle(seen.page)
        for fold in seen.page.query_selector_all("details.fold, #horizon details"):
            fold.evaluate("(one) => { one.open = true; }")
        settle(seen.page)
        assert browser_tools.axe_violations(seen.page) == []


def test_dark_and_light(browser: Any, pages: dict[str, Path]) -> None:
    background = "getComputedStyle(document.body).backgroundColor"
    with browser_tools.visit(browser, pages["pl"], scheme="dark") as seen:
        settle(seen.page)
        dark = seen.page.evaluate(background)
        seen.page.click("[data-theme-toggle]")
        light = seen.page.evaluate(background)
    assert light == "rgb(255, 255, 255)"
    assert dark != light


def test_print_has_numbers_and_charts_without_controls(
    browser: Any, pages: dict[str, Path], tmp_path: Path
) -> None:
    with browser_tools.visit(browser, pages["pl"], scheme="dark", height=400) as seen:
        # Nothing is drawn in idle time, so that what is on paper was drawn for it.
        seen.page.add_init_script("window.requestIdleCallback = () => 0;")
        seen.page.reload()
        seen.page.wait_for_selector("html[data-ready]")
        assert "rgb(" not in lines(seen.page)["map"]
        data = seen.page.pdf(path=str(tmp_path / "page.pdf"), prefer_css_page_size=True)
        assert data[:5] == b"%PDF-"
        # What was never in view is drawn as well.
        drawn = lines(seen.page)
        assert all(drawn[name].count("M") for name in ("profile", "horizon", "steps", "bits"))
        assert "rgb(" in drawn["map"]
        seen.page.emulate_media(media="print")
        assert not seen.page.is_visible("#controls-list")
        assert not seen.page.is_visible("#horizon .save")
        assert seen.page.is_visible("#numbers table")
        assert seen.page.evaluate("getComputedStyle(document.body).backgroundColor") == (
            "rgb(255, 255, 255)"
        )


def test_the_embedded_page_moves(browser: Any, tmp_path: Path) -> None:
    from boundcalc.explore.page import page_text

    path = tmp_path / "embedded.html"
    path.write_text(page_text(graph("diamond"), embedded=True), encoding="utf-8")
    with browser_tools.visit(browser, path, width=700, height=500) as seen:
        settle(seen.page)
        assert seen.page.locator(".chart").count() == 2
        before = lines(seen.page)
        slide(seen.page, "step_size", 300)
        settle(seen.page)
        assert lines(seen.page)["horizon"] != before["horizon"]
        assert browser_tools.axe_violations(seen.page) == []
    assert seen.quiet, seen.messages


def test_motion_is_not_needed(browser: Any, pages: dict[str, Path]) -> None:
    with browser_tools.visit(browser, pages["pl"], reduced_motion="reduce") as seen:
        settle(seen.page)
        moving = seen.page.evaluate(
            """() => Array.from(document.querySelectorAll('*')).filter((one) => {
                const style = getComputedStyle(one);
                return parseFloat(style.transitionDuration) > 0 || style.animationName !== 'none';
            }).length"""
        )
    assert moving == 0


def test_names_of_saved_files_are_plain(browser: Any, pages: dict[str, Path]) -> None:
    with browser_tools.visit(browser, pages["hostile"], accept_downloads=True) as seen:
        settle(seen.page)
        with seen.page.expect_download() as waiting:
            seen.page.click("#download-spec")
        name = waiting.value.suggested_filename
        data = json.loads(Path(waiting.value.path()).read_text(encoding="utf-8"))
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-_.")
    assert data["name"] == HOSTILE
