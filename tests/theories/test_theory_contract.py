"""Every theory meets the contract, and every shipped spec of one gets all answers."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml

import boundcalc as bc
from boundcalc.errors import SpecError
from boundcalc.report.cells import Bullets, Equation, Figure, Paragraph, Table, Theorem
from boundcalc.resources import examples
from boundcalc.spec.fields import Frozen
from boundcalc.spec.loading import load
from boundcalc.theories import registry
from boundcalc.theories.ask import ask
from boundcalc.theories.base import Theory
from boundcalc.theories.plain import jsonable
from boundcalc.theories.registry import THEORIES, theory_named, theory_of
from boundcalc.theories.schema import full_schema
from boundcalc.theories.values import Answer

BLOCKS = (Paragraph, Bullets, Equation, Table, Figure, Theorem)
NEW = [name for name in THEORIES if name != "perturbed"]
SPECS = {stem: path for stem, path in examples().items() if load(path).theory in NEW}


def test_every_folder_is_registered() -> None:
    home = Path(registry.__file__).parent
    folders = {path.parent.name for path in home.glob("*/theory.py")}
    assert folders == set(THEORIES)


@pytest.mark.parametrize("name", THEORIES)
def test_a_theory_says_what_it_is(name: str) -> None:
    theory = theory_named(name)
    assert isinstance(theory, Theory)
    assert theory.name == name
    assert theory.title
    assert theory.summary.endswith(".")
    assert theory.section is None or issubclass(theory.section, Frozen)
    assert theory.citations
    for citation in theory.citations:
        assert citation.text
        assert re.match(r"@\w+\{" + re.escape(citation.key) + ",", citation.bibtex), citation.key
        assert citation.bibtex.count("{") == citation.bibtex.count("}")
    for composition in theory.compositions:
        assert composition.with_ in THEORIES
        assert composition.says
        assert composition.source


@pytest.mark.parametrize("name", NEW)
def test_every_theory_has_a_shipped_spec(name: str) -> None:
    assert any(load(path).theory == name for path in SPECS.values())


@pytest.mark.parametrize("stem", SPECS)
def test_all_commands_answer(stem: str) -> None:
    spec = load(SPECS[stem])
    graph, theory = bc.build(spec), theory_of(spec)
    assert spec.budget is not None, "a shipped spec asks for a budget, too"
    for verb in ("compile", "rate", "budget", "simulate", "verify"):
        answer = ask(verb, graph)
        assert isinstance(answer, Answer)
        json.dumps(jsonable(answer.data), allow_nan=False)
        assert answer.blocks, verb
        assert all(isinstance(block, BLOCKS) for block in answer.blocks), verb
        if verb == "rate":
            assert theory.name in answer.data
            assert answer.statements
        if verb == "verify":
            assert answer.exit_code == 0, [v.detail for v in answer.value.verdicts]
    assert theory.assumptions(graph)


@pytest.mark.parametrize("stem", SPECS)
def test_the_schema_knows_the_section(stem: str) -> None:
    raw = yaml.safe_load(SPECS[stem].read_text(encoding="utf-8"))
    validator = jsonschema.Draft202012Validator(full_schema())
    validator.validate(raw)
    for change in ({raw["theory"]: {"nonsense": 1}}, {"theory": "perturbed"}, {"theory": "none"}):
        assert not validator.is_valid({**raw, **change}), change
    del raw[raw["theory"]]
    assert not validator.is_valid(raw)


@pytest.mark.parametrize("stem", SPECS)
@pytest.mark.parametrize("command", ["adversary", "certify", "sweep"])
def test_commands_for_perturbed_passes_refuse(stem: str, command: str, tmp_path: Path) -> None:
    spec = load(SPECS[stem])
    calls = {
        "adversary": lambda: bc.adversary(spec),
        "certify": lambda: bc.certify(spec, tmp_path / "certificate.json"),
        "sweep": lambda: bc.sweep(spec, {"training.step_size": ["1/2"]}, out=tmp_path / "sweep"),
    }
    with pytest.raises(SpecError, match="for perturbed passes"):
        calls[command]()
    assert list(tmp_path.iterdir()) == []


TEXT = "version: 1\nname: a\ntheory: {theory}\n{section}graph: {{operators: [{{id: f}}]}}\n"


@pytest.mark.parametrize(
    ("theory", "section", "message"),
    [
        ("stalness", "", "did you mean 'staleness'"),
        ("staleness", "", "the theory 'staleness' needs its section"),
        ("staleness", "staleness: 3\n", "not a section"),
        ("staleness", "staleness: {quues: 1}\n", "did you mean 'queues'"),
        ("staleness", "shrinkage: {q: 1}\n", "add `theory: shrinkage`"),
        ("shrinkge", "shrinkage: {q: 1}\n", "did you mean 'shrinkage'"),
        ("perturbed", "perturbed: {q: 1}\n", "has no section of its own"),
        ("graph", "", "unknown theory"),
        ("own", "own: {}\n", "unknown theory"),
    ],
)
def test_sections_that_do_not_fit(theory: str, section: str, message: str) -> None:
    with pytest.raises(SpecError, match=message) as error:
        bc.build(bc.loads(TEXT.format(theory=theory, section=section), name="my.yaml"))
    assert error.value.where is not None
    assert error.value.where.startswith("my.yaml:")
