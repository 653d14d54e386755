"""The gallery's frame: what a check is, and the pages that are made of entries."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import pytest

from gallery import render
from gallery.__main__ import main
from gallery.base import Check, Entry
from gallery.index import place
from gallery.page import cell, page, shown
from gallery.pictures import LARGEST, _png, card, formulas
from gallery.registry import Found
from gallery.render import pages
from gallery.tools import value

THIRD = Fraction(1, 3)


class TestCheck:
    @pytest.mark.parametrize("relation", ["equals", "at most", "at least"])
    @pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
    def test_what_is_not_finite_never_holds(self, relation, bad):
        assert not Check("", bad, bad, relation, rel=1.0).holds
        assert not Check("", 1.0, bad, relation, rel=1.0).holds
        assert not Check("", bad, THIRD, relation, rel=1.0).holds
        assert not Check("", 1.0, 1.0, relation, rel=bad).holds

    def test_fractions_are_compared_exactly(self):
        assert Check("", THIRD, THIRD).holds
        assert not Check("", THIRD, THIRD + Fraction(1, 10**40)).holds
        # The float next to 1/3 is another number.
        assert not Check("", 1 / 3, THIRD).holds
        assert Check("", 1 / 3, THIRD, rel=1e-15).holds

    def test_relations(self):
        assert Check("", 1, 2, "at most").holds
        assert not Check("", 2, 1, "at most").holds
        assert Check("", 2, 1, "at least").holds
        assert not Check("", 1, 2, "at least").holds
        assert Check("", 1, 1, "at most").holds
        assert Check("", 1, 1, "at least").holds

    def test_a_tolerance_is_relative_and_not_negative(self):
        assert Check("", 1000.0, 1001.0, rel=1e-3).holds
        assert not Check("", 1000.0, 1002.0, rel=1e-3).holds
        assert not Check("", 0.0, 1e-300, rel=0.5).holds
        assert not Check("", 1.0, 1.0, rel=-0.1).holds
        assert Check("", 1.0005, 1.0, "at most", rel=1e-3).holds
        assert not Check("", 1.002, 1.0, "at most", rel=1e-3).holds

    def test_huge_fractions_need_no_floats(self):
        huge = Fraction(10) ** 1000
        assert Check("", huge, huge).holds
        assert not Check("", huge, huge + 1).holds


ENTRY = Entry(
    title="A test",
    topic="theorems",
    statement="Let $x = 1$ | and so on.",
    theorem="Theorem 0.0",
    link="theory.md#11-the-two-passes",
    kind="exact",
    reference="None.",
    spec="bilinear-erratum",
    command="compile --family sharp",
)


@dataclass(frozen=True)
class Fake(Found):
    """An entry that is not a file's; counts how often it is run."""

    runs: list[int] = field(default_factory=list)
    check: Check = field(default_factory=lambda: Check("one", Fraction(1), Fraction(1)))
    entry: Entry = ENTRY

    def module(self):
        def checks():
            self.runs.append(1)
            yield self.check

        return SimpleNamespace(ENTRY=self.entry, checks=checks)


@pytest.fixture
def fake(tmp_path: Path) -> Fake:
    source = tmp_path / "fake.py"
    source.write_text("x = 1\n")
    return Fake("fake", "theorems", source)


class TestPages:
    def test_a_page_has_everything(self, fake, tmp_path):
        assert pages(tmp_path / "out", [fake]) == ()
        text = (tmp_path / "out" / "fake.md").read_text()
        assert text.startswith("# A test\n")
        for part in (
            "**Theorem 0.0** · *exact*",
            "| one | 1 | = | 1 | exact |",
            "$ boundcalc examples bilinear-erratum > bilinear-erratum.yaml",
            "$ boundcalc compile bilinear-erratum.yaml --family sharp",
            "id: f1, type: bilinear",
            "(../theory.md#11-the-two-passes)",
            "```python\nx = 1\n",
        ):
            assert part in text
        index = (tmp_path / "out" / "index.md").read_text()
        assert ":link: fake" in index
        assert "images/fake-small.png" in index
        assert "[A test](fake.md)" in index

    def test_it_is_not_run_again_until_its_source_changes(self, fake, tmp_path):
        out = tmp_path / "out"
        for _ in range(2):
            assert pages(out, [fake]) == ()
        assert len(fake.runs) == 1
        written = (out / "fake.md").stat().st_mtime_ns
        (out / "index.md").unlink()
        pages(out, [fake])
        assert (len(fake.runs), (out / "fake.md").stat().st_mtime_ns) == (1, written)
        fake.path.write_text("x = 2\n")
        pages(out, [fake])
        assert len(fake.runs) == 2
        (out / "images" / "fake-small.png").unlink()
        pages(out, [fake])
        assert len(fake.runs) == 3

    def test_pages_of_entries_that_are_gone_are_removed(self, fake, tmp_path):
        out = tmp_path / "out"
        pages(out, [fake])
        pages(out, [])
        assert sorted(path.name for path in out.rglob("*") if path.is_file()) == [
            ".gallery.json",
            "index.md",
        ]

    def test_disagreement_is_said_and_shown(self, fake, tmp_path):
        wrong = Fake("fake", "theorems", fake.path, check=Check("two", Fraction(2), Fraction(1)))
        out = tmp_path / "out"
        (problem,) = pages(out, [wrong])
        assert "theorems/fake: two: computed 2, which is not equals 1" in problem
        assert "**does not hold**" in (out / "fake.md").read_text()
        assert pages(out, [wrong]) == (problem,)

    def test_a_broken_entry_does_not_hide_the_others(self, fake, tmp_path):
        class Broken(Fake):
            def module(self):
                raise ValueError("no such thing")

        class Failing(Fake):
            def module(self):
                def checks():
                    raise ZeroDivisionError
                    yield

                return SimpleNamespace(ENTRY=ENTRY, checks=checks)

        others = [Broken("broken", "theorems", fake.path), Failing("bad", "theorems", fake.path)]
        problems = pages(tmp_path / "out", [*others, fake])
        assert [problem.split(":")[1] for problem in problems] == [
            " ValueError",
            " ZeroDivisionError",
        ]
        assert "fake.md" in (tmp_path / "out" / "index.md").read_text()
        assert "broken" not in (tmp_path / "out" / "index.md").read_text()

    def test_nothing_checked_is_a_problem(self, fake, tmp_path):
        class Empty(Fake):
            def module(self):
                return SimpleNamespace(ENTRY=ENTRY, checks=lambda: iter(()))

        (problem,) = pages(tmp_path / "out", [Empty("fake", "theorems", fake.path)])
        assert "nothing is checked" in problem

    def test_a_state_that_is_garbage_is_ignored(self, fake, tmp_path):
        out = tmp_path / "out"
        pages(out, [fake])
        for garbage in ("{", "[]"):
            (out / ".gallery.json").write_text(garbage)
            assert pages(out, [fake]) == ()
        assert len(fake.runs) == 3

    def test_processes_and_one_process_agree(self, tmp_path, monkeypatch):
        monkeypatch.setattr(render, "_FEW", 1)
        chosen = [f for f in render.entries() if f.slug in ("published_error", "minimax_bound")]
        for workers in (1, 2):
            assert pages(tmp_path / str(workers), chosen, workers=workers) == ()
        one, two = (
            {path.name: path.read_bytes() for path in (tmp_path / k).rglob("*") if path.is_file()}
            for k in ("1", "2")
        )
        assert one == two


class TestThumbnails:
    @pytest.mark.parametrize("slug", ["kinks", "gram_matrix", "published_error"])
    def test_they_are_small(self, slug, tmp_path):
        from PIL import Image

        (found,) = [f for f in render.entries() if f.slug == slug]
        pages(tmp_path, [found])
        path = tmp_path / "images" / f"{slug}-small.png"
        assert path.stat().st_size <= LARGEST
        with Image.open(path) as image:
            assert image.width == 420
            assert len(image.convert("RGB").getcolors(10**6)) > 2
        assert (tmp_path / "images" / f"{slug}.png").exists() == hasattr(found.module(), "figure")

    def test_a_figure_is_told_in_words(self, tmp_path):
        (found,) = [f for f in render.entries() if f.slug == "kinks"]
        pages(tmp_path, [found])
        assert "![The bound against the size of the noise" in (tmp_path / "kinks.md").read_text()

    def test_a_picture_that_is_too_large_loses_colours(self):
        from PIL import Image

        noise = Image.effect_noise((420, 252), 64).convert("RGB")
        assert len(_png(noise)) > LARGEST
        assert len(_png(noise, 60_000)) <= 60_000

    def test_the_formula_of_a_statement(self):
        found = list(formulas(r"$x$ and $$\lVert \tilde u \rVert \le \tfrac12$$ or $a \ge 2$"))
        assert found == [r"$\Vert \tilde{u} \Vert \leq \frac{1}{2}$", r"$a \geq 2$"]

    def test_without_one_the_number(self):
        entry = Entry(**(vars(ENTRY) | {"statement": "Words only."}))
        figure = card(entry, (Check("", THIRD, THIRD),))
        assert "1/3" in [text.get_text() for text in figure.texts]


class TestWords:
    def test_cells(self):
        assert cell(r"$\|x\|$ | $|y|$") == r"$\Vert x\Vert $ \| $\vert y\vert $"

    def test_numbers(self):
        assert shown(Fraction(7, 2)) == "7/2"
        assert shown(0.1 + 0.2) == "0.3"
        assert shown(3) == "3"
        assert shown(Fraction(1, 3**60)).endswith("e-29")
        assert shown(Fraction(0)) == "0"

    def test_status_of_a_number(self, fake):
        checks = (
            Check("a", 0.5, 0.5, rel=1e-12),
            Check("b", 0.5, 0.6, rel=0.5, why="one digit"),
            Check("c", THIRD, 1, "at most"),
            Check("d", 0.5, 1, "at most", sampled="10 runs"),
        )
        text = page(fake, ENTRY, checks)
        assert "| d | 0.5 | ≤ | 1 | sampled: 10 runs |" in text
        assert "*Sampled*: from draws." in text
        assert "*Sampled*" not in page(fake, ENTRY, checks[:-1])
        assert "| a | 0.5 | ≈ | 0.5 | computed, to 1e-12 |" in text
        assert "| b | 0.5 | ≈ | 0.6 | computed; one digit |" in text
        assert "| c | 1/3 | ≤ | 1 | exact |" in text

    def test_a_missing_number_holds_nowhere(self):
        assert math.isnan(value(None))


class TestEvidence:
    @pytest.mark.parametrize(("checks", "failed"), [((True,), 0), ((True, False), 1), ((), 1)])
    def test_what_fails_is_counted(self, monkeypatch, checks, failed):
        from boundcalc.errata import Evidence
        from boundcalc.errata import evidence as made
        from boundcalc.errata.registry import ERRATA
        from gallery import evidence

        found = tuple(made.Check("said", holds) for holds in checks)
        ran = Evidence(ERRATA["E1"], "", (made.exact("x", 2), made.at_most("y", 3)), found, 0.0)
        monkeypatch.setattr(evidence, "evidence", lambda _: ran)
        first, second, third, fourth = evidence.compared("E1", {"x": Fraction(2), "y": 3.001})
        assert (first.computed, first.holds) == (failed, failed == 0)
        assert second.holds
        assert third.relation == "at most"
        assert third.holds
        assert fourth.holds
        assert not list(evidence.compared("E1", {"y": 2.999}))[1].holds


class TestOrder:
    def test_by_the_number_of_the_statement(self):
        names = (
            "Theorem 10.2",
            "Lemma 6.4",
            "Theorems 4.7 and 4.8",
            "[KZY] Section 5.3, erratum E7",
        )
        entries = [Entry(**(vars(ENTRY) | {"theorem": name})) for name in names]
        assert [place(entry) for entry in entries] == [(10, 2), (6, 4), (4, 7), ()]

    def test_of_the_index(self, tmp_path):
        late, early = (f for f in render.entries() if f.slug in ("best_step", "minimax_bound"))
        pages(tmp_path, [late, early], workers=1)
        text = (tmp_path / "index.md").read_text()
        assert late.slug == "best_step"
        assert text.index(":link: minimax_bound") < text.index(":link: best_step")
        assert "minimax_bound\nbest_step\n```" in text


class TestCommand:
    def test_runs_what_is_named(self, capsys):
        assert main(["published_error", "minimax_bound"]) == 0
        out = capsys.readouterr().out
        assert "published_error" in out
        assert "2 entries, 0 disagree" in out

    def test_lists(self, capsys):
        assert main(["--list", "errata"]) == 0
        assert len(capsys.readouterr().out.splitlines()) == 13

    def test_an_unknown_name(self, capsys):
        assert main(["nonsense"]) == 2
        assert "nonsense" in capsys.readouterr().err

    def test_disagreement_is_exit_1(self, fake, monkeypatch, capsys):
        wrong = Fake("fake", "theorems", fake.path, check=Check("two", Fraction(2), Fraction(1)))
        monkeypatch.setattr("gallery.__main__.entries", lambda: iter([wrong]))
        assert main([]) == 1
        assert "differs" in capsys.readouterr().out

    def test_pages(self, tmp_path, monkeypatch, fake):
        monkeypatch.setattr("gallery.__main__.entries", lambda: iter([fake]))
        assert main(["--pages", str(tmp_path / "out")]) == 0
        assert (tmp_path / "out" / "fake.md").exists()
