"""What a release is made of: metadata that agree, and files that must be in the archives."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
#: Packages whose conda name is another one.
CONDA_NAMES = {"matplotlib": "matplotlib-base"}


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def newest_release() -> str:
    found = re.search(r"^## \[(\d+\.\d+\.\d+)\]", text("CHANGELOG.md"), re.M)
    assert found is not None
    return found[1]


def test_the_newest_release_is_the_same_everywhere():
    recipe = text("packaging/conda/recipe.yaml")
    assert {
        "citation": yaml.safe_load(text("CITATION.cff"))["version"],
        "fallback": PROJECT["tool"]["hatch"]["version"]["fallback-version"],
        "conda": re.search(r'default="([^"]+)"', recipe)[1],
    } == dict.fromkeys(("citation", "fallback", "conda"), newest_release())


def test_the_release_in_the_citation_has_its_date_in_the_changelog():
    date = yaml.safe_load(text("CITATION.cff"))["date-released"]
    assert f"## [{newest_release()}] - {date}" in text("CHANGELOG.md")


def test_the_conda_recipe_asks_for_what_the_project_asks_for():
    asked = {}
    for requirement in PROJECT["project"]["dependencies"]:
        name, bound = re.fullmatch(r"([\w-]+)(.*)", requirement).groups()
        asked[CONDA_NAMES.get(name, name)] = bound
    asked["python"] = PROJECT["project"]["requires-python"]
    recipe = yaml.safe_load(text("packaging/conda/recipe.yaml"))
    given = dict(line.split(" ", 1) for line in recipe["requirements"]["run"])
    assert given == asked


@pytest.mark.parametrize("name", ["LICENSE", "CHANGELOG.md", "CITATION.cff", "SECURITY.md"])
def test_the_source_archive_names_files_that_exist(name):
    assert name in PROJECT["tool"]["hatch"]["build"]["targets"]["sdist"]["include"]
    assert (ROOT / name).is_file()


def test_every_entry_of_the_source_archive_exists():
    listed = PROJECT["tool"]["hatch"]["build"]["targets"]["sdist"]["include"]
    assert [name for name in listed if not (ROOT / name).exists()] == []


def test_the_package_says_that_it_is_typed():
    assert (ROOT / "boundcalc" / "py.typed").is_file()
    assert "Typing :: Typed" in PROJECT["project"]["classifiers"]


@pytest.mark.parametrize("path", sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml")))
def test_issue_templates_are_complete(path):
    form = yaml.safe_load(path.read_text(encoding="utf-8"))
    if path.stem == "config":
        assert form == {"blank_issues_enabled": True}
        return
    assert {"name", "description", "body"} <= set(form)
    ids = [part["id"] for part in form["body"] if part["type"] != "markdown"]
    assert len(ids) == len(set(ids)) > 0


def test_files_of_the_project_link_to_files_that_exist():
    names = ("CONTRIBUTING.md", "CODE_OF_CONDUCT.md", "SECURITY.md", "CHANGELOG.md")
    links = [
        (name, target)
        for name in names
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text(name))
        if "://" not in target
    ]
    assert [link for link in links if not (ROOT / link[1]).exists()] == []
