"""Running experiments, at tiny sizes, and the page that is made of them."""

import json

import pytest

from boundcalc.errors import OutputError, UnsupportedError
from boundcalc.experiments import EXPERIMENTS, reproduce
from boundcalc.experiments.base import Sweep
from boundcalc.experiments.page import page, refresh
from boundcalc.experiments.registry import chosen
from boundcalc.experiments.reproduce import timed


@pytest.fixture
def tiny(monkeypatch):
    """Quick runs of a few steps."""
    monkeypatch.setattr("boundcalc.experiments.running.QUICK_HORIZON", 40)
    monkeypatch.setattr("boundcalc.experiments.running.QUICK_REPLICAS", 2)


def run(folder, *names, **more):
    return reproduce(names, folder, quick=True, workers=0, engine="numpy", **more)


LOGISTIC = [name for name, e in EXPERIMENTS.items() if any(p.shortened for p in e.sweeps)]

#: Every kind of figure once; the others differ from these in their specs only.
SHORT = {"figure-2", "figure-3", "figure-7"}
CASES = [pytest.param(name, marks=[] if name in SHORT else [pytest.mark.long]) for name in LOGISTIC]


@pytest.mark.parametrize("name", CASES)
def test_a_figure_is_drawn_and_judged(tmp_path, tiny, name):
    (outcome,) = run(tmp_path, name)
    folder = tmp_path / name
    assert outcome.folder == folder
    for suffix in ("png", "pdf"):
        assert (folder / f"figure.{suffix}").stat().st_size > 1000
    verdict = json.loads((folder / "verdict.json").read_text())
    assert verdict["name"] == name
    assert len(verdict["findings"]) == len(outcome.findings) >= 5
    assert {f["status"] for f in verdict["findings"]} <= {"holds", "does not hold", "undetermined"}
    # Forty steps settle nothing, and the verdict says so.
    assert outcome.findings[0].status == "undetermined"


def test_the_compressor_is_that_of_exact_fractions(tmp_path):
    (outcome,) = run(tmp_path, "appendix-a3")
    statuses = {finding.claim: finding.status for finding in outcome.findings}
    assert outcome.experiment.name == "figure-9"
    assert statuses["the simulated runs are those of exact fractions"] == "holds"
    printed = "SGD, γ=1/10 (printed), without compression, from "
    assert statuses[printed + "(1, 1): it converges"] == "holds"
    assert statuses[printed + "(1, 1 + 10⁻⁹): it converges"] == "does not hold"
    slow = "SGD, γ=1/500, with Top-1, from (1, 1): it fails"
    assert statuses[slow] == "does not hold"
    assert {s for claim, s in statuses.items() if claim.startswith("E10")} == {"holds"}


def test_a_second_start_runs_nothing_twice(tmp_path, tiny, monkeypatch):
    first = run(tmp_path, "figure-2")

    def never(*args, **more):
        raise AssertionError

    monkeypatch.setattr("boundcalc.sweeps.here.run_point", never)
    second = run(tmp_path, "figure-2")
    assert second[0].findings == first[0].findings


def test_progress_is_told_by_sweep(tmp_path, tiny):
    seen = []
    run(tmp_path, "figure-2", progress=lambda *args: seen.append(args))
    assert seen[-1] == ("figure-2", 3, 3)


def test_a_folder_holds_one_size(tmp_path, tiny):
    run(tmp_path, "appendix-a1")
    with pytest.raises(OutputError, match="does not hold a full run"):
        reproduce(["appendix-a1"], tmp_path, workers=0)


def test_seconds_add_up_over_starts(tmp_path):
    with timed(tmp_path, True) as seconds:
        first = seconds()
    kept = json.loads((tmp_path / "run.json").read_text())["seconds"]
    with pytest.raises(ZeroDivisionError), timed(tmp_path, True):
        1 / 0  # noqa: B018 - cut short
    with timed(tmp_path, True) as seconds:
        assert seconds() >= kept >= first - 1e-3
    assert json.loads((tmp_path / "run.json").read_text())["seconds"] >= kept
    (tmp_path / "run.json").write_text("[]")
    with pytest.raises(OutputError, match="quick run"), timed(tmp_path, True):
        pass


@pytest.mark.parametrize("name", ["figure-1", "figure3", "../figure-3"])
def test_an_unknown_name_is_refused_before_anything_is_written(tmp_path, name):
    with pytest.raises(UnsupportedError, match="no such experiment"):
        reproduce([name], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_names_in_the_papers_order_once():
    assert [e.name for e in chosen(["figure-9", "figure-2", "appendix-a3"])] == [
        "figure-2",
        "figure-9",
    ]
    assert chosen([]) == chosen(["all", "figure-2"]) == list(EXPERIMENTS.values())


def test_every_experiment_says_what_it_is():
    for name, experiment in EXPERIMENTS.items():
        assert experiment.name == name
        assert experiment.title
        assert experiment.paper.endswith(".")
        assert all(isinstance(plan, Sweep) for plan in experiment.sweeps)


class TestPage:
    def verdict(self, **more):
        finding = {"claim": "it holds", "status": "holds", "evidence": "1 < 2", "numbers": {}}
        other = {**finding, "claim": "it rises", "status": "does not hold"}
        return {
            "title": "A title", "paper": "It rises.", "quick": True, "seconds": 90.0,
            "settings": 3, "machine": "a machine, 2 cores", "findings": [finding, other], **more,
        }  # fmt: skip

    def test_every_finding_is_on_it(self):
        text = page({"figure-3": self.verdict(), "appendix-a1": self.verdict()})
        assert "* It holds: holds (1 < 2)." in text
        assert "* It rises: **does not hold** (1 < 2)." in text
        assert "| [Figure 3](#figure-3): A title | 1 | 1 | 0 |" in text
        assert "[Appendix A.1](#appendix-a1)" in text
        assert "6 settings took 3.0 minutes on a machine, 2 cores" in text
        assert "--quick" in text

    def test_a_full_run_says_so(self):
        assert "200 000 steps, 8 replicas" in page({"figure-3": self.verdict(quick=False)})

    def test_it_is_written_with_its_images(self, tmp_path):
        run(tmp_path / "run", "appendix-a1", "appendix-a2")
        path = refresh(tmp_path / "run", tmp_path / "docs")
        assert path == tmp_path / "docs" / "section-7.md"
        images = tmp_path / "docs" / "images" / "section7"
        assert sorted(p.name for p in images.iterdir()) == ["appendix-a1.png", "appendix-a2.png"]
        for image in images.iterdir():
            assert f"images/section7/{image.name}" in path.read_text(encoding="utf-8")

    def test_an_empty_folder_is_refused(self, tmp_path):
        with pytest.raises(OutputError, match="no reproduced experiment"):
            refresh(tmp_path, tmp_path / "docs")
        assert not (tmp_path / "docs").exists()

    @pytest.mark.parametrize("text", ["", "[]", "{}", "{"])
    def test_what_is_not_a_verdict_is_refused(self, tmp_path, text):
        (tmp_path / "figure-3").mkdir()
        (tmp_path / "figure-3" / "verdict.json").write_text(text)
        with pytest.raises(OutputError, match="not a verdict"):
            refresh(tmp_path, tmp_path / "docs")
