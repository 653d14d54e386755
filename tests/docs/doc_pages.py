"""Documentation pages as things to run: fenced blocks, commands and links.

``python tests/docs/doc_pages.py PAGE …`` runs the pages and writes the output of every
command that no longer prints what the page shows back into the page.  Look at the
difference before you keep it.

What is run:

- ``python`` blocks, in order, in one namespace per page; those that begin with
  ``>>>`` as doctests;
- ``yaml`` blocks: after ``<!-- file: name.yaml -->`` the block is written to that file;
  after ``<!-- merge into: name.yaml -->`` its top-level keys replace those of that file.
  Either is loaded and built;
- ``console`` blocks: lines ``$ boundcalc …``, ``$ echo $?`` and ``… > file``.  Output is
  compared line by line; ``…`` stands for any text in a line, and alone for any lines.
"""

from __future__ import annotations

import doctest
import io
import os
import re
import shlex
import shutil
import sys
from collections.abc import Iterator
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

import boundcalc as bc
from boundcalc.verify.claims import load_claim

ROOT = Path(__file__).resolve().parents[2]
#: Pages whose blocks are run.
PAGES = (
    "README.md",
    "docs/index.md",
    "docs/tutorial.md",
    "docs/spec-reference.md",
    "docs/extending.md",
    "docs/import.md",
    "docs/networks.md",
    "docs/budgets.md",
    "docs/theories.md",
    "docs/staleness.md",
    "docs/shrinkage.md",
    "docs/distributed.md",
    "docs/sweeps.md",
    "docs/errata.md",
    "docs/adversary.md",
    "docs/claims.md",
    "docs/certificates.md",
    "docs/command-line.md",
    "docs/notebook-display.md",
    "docs/explore.md",
    "docs/web-report.md",
    "docs/faq.md",
    "docs/comparison.md",
    "docs/how-to/add-a-perturbation.md",
    "docs/how-to/add-a-theory.md",
    "docs/how-to/add-an-operator.md",
    "docs/how-to/check-my-own-theorem.md",
    "docs/how-to/choose-a-family.md",
    "docs/how-to/cite.md",
    "docs/how-to/get-formulas.md",
    "docs/how-to/import-a-model.md",
    "docs/how-to/long-chains.md",
    "docs/how-to/perturb-sometimes.md",
    "docs/how-to/plan-bits.md",
    "docs/how-to/plan-for-bit-flips.md",
    "docs/how-to/rank-operators.md",
    "docs/how-to/read-a-report.md",
    "docs/how-to/read-a-verdict.md",
    "docs/how-to/run-a-sweep-on-a-cluster.md",
    "docs/how-to/share-a-page.md",
    "docs/how-to/state-constants.md",
    "docs/how-to/use-results.md",
)
#: Pages with blocks that are not run here: page → why.
NOT_RUN: dict[str, str] = {}
#: What the site's build writes under docs/ (docs/.gitignore).
WRITTEN = ("_build", "_static", "gallery", "project", "jupyter_execute", "reference/code")
_WRITTEN_PAGES = ("reference/commands.md", "reference/schema.md", "reference/specs.md")


def written_by_hand() -> tuple[str, ...]:
    """All Markdown pages of the repository's top and of docs/, as they lie in git."""
    found = [path.relative_to(ROOT).as_posix() for path in ROOT.glob("*.md")]
    for path in (ROOT / "docs").rglob("*.md"):
        name = path.relative_to(ROOT / "docs").as_posix()
        if not name.startswith(WRITTEN) and name not in _WRITTEN_PAGES:
            found.append(f"docs/{name}")
    return tuple(sorted(found))


_FENCE = re.compile(r"^(?P<fence>```+)(?P<kind>[\w-]*)\n(?P<body>.*?)^(?P=fence)$", re.M | re.S)
_COMMENT = re.compile(r"<!-- (file|merge into): (\S+) -->\n\s*\Z")
_WIDTH = "80"


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, text and place, and the comment above it."""

    kind: str
    body: str
    start: int  # of the body, in characters
    line: int
    action: str | None
    file: str | None


@dataclass(frozen=True)
class Mismatch:
    """A command that does not print what its page shows."""

    page: str
    line: int
    command: str
    expected: str
    actual: str

    def __str__(self) -> str:
        return (
            f"{self.page}:{self.line}: $ {self.command}\n--- the page shows\n{self.expected}"
            f"--- it prints\n{self.actual}---"
        )


@dataclass
class Shell:
    """Runs the commands of one page in its folder."""

    folder: Path
    code: int = 0

    def run(self, command: str) -> str:
        """What a command prints, without spaces at line ends."""
        if command == "echo $?":
            return f"{self.code}\n"
        command, _, target = command.partition(" > ")
        words = shlex.split(command)
        assert words[0] == "boundcalc", f"the docs run boundcalc only: {command}"
        printed, self.code = _run(words)
        if target:
            (self.folder / target.strip()).write_text(printed, encoding="utf-8")
            return ""
        lines = (line.rstrip() for line in printed.rstrip().splitlines())
        return "".join(f"{line}\n" for line in lines)


def _run(words: list[str]) -> tuple[str, int]:
    """What a command prints, and its exit code; in this process, which saves its start.

    Messages count where the command fails: a report without a TeX engine warns, and is
    no different otherwise.
    """
    from boundcalc.cli import main as command_line

    out, messages, code = io.StringIO(), io.StringIO(), 0
    saved = sys.argv, dict(os.environ)
    sys.argv = words
    os.environ["COLUMNS"] = _WIDTH
    try:
        with redirect_stdout(out), redirect_stderr(messages):
            command_line()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        sys.argv = saved[0]
        os.environ.clear()
        os.environ.update(saved[1])
    return out.getvalue() + (messages.getvalue() if code == 2 else ""), code


def blocks(text: str) -> Iterator[Block]:
    """All fenced blocks in order."""
    for match in _FENCE.finditer(text):
        comment = _COMMENT.search(text, 0, match.start())
        near = comment if comment and comment.end() == match.start() else None
        yield Block(
            kind=match["kind"],
            body=match["body"],
            start=match.start("body"),
            line=text.count("\n", 0, match.start("body")) + 1,
            action=near[1] if near else None,
            file=near[2] if near else None,
        )


@dataclass(frozen=True)
class Command:
    """One command of a console block and the output that the page shows."""

    text: str
    shown: str
    start: int  # of the shown output, in characters of the block
    line: int  # in the block


def commands(body: str) -> list[Command]:
    """The commands of a console block."""
    found: list[Command] = []
    position, output_at = 0, 0
    text: str | None = None
    begun = 0
    for index, line in enumerate([*body.splitlines(keepends=True), "$ "]):
        if line.startswith("$ "):
            if text is not None:
                found.append(Command(text, body[output_at:position], output_at, begun))
            text, begun, output_at = line[2:].strip(), index, position + len(line)
        position += len(line)
    assert found, f"a console block without a command: {body}"
    return found


def agrees(shown: str, actual: str) -> bool:
    """Whether the output is what the page shows, ``…`` standing for anything."""
    pattern = ""
    for line in shown.rstrip().splitlines():
        if line.strip() == "…":
            pattern += r"(?:.*\n)*?"
        else:
            pattern += ".*?".join(map(re.escape, line.rstrip().split("…"))) + r"\n"
    return re.fullmatch(pattern, actual) is not None


def build_yaml(block: Block, folder: Path, where: str) -> None:
    """Write, load and build a spec, or the change of one."""
    assert block.file, f"{where}: a yaml block needs <!-- file: … --> or <!-- merge into: … -->"
    path = folder / block.file
    if block.action == "file":
        path.write_text(block.body, encoding="utf-8")
        if "claim" in yaml.safe_load(block.body):
            load_claim(path)
        else:
            bc.build(bc.load(path))
        return
    merged: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    merged |= yaml.safe_load(block.body)
    changed = folder / "merged.yaml"
    changed.write_text(yaml.safe_dump(merged, allow_unicode=True), encoding="utf-8")
    bc.build(bc.load(changed))


@dataclass
class Page:
    """A page that is being run."""

    name: str
    folder: Path
    text: str = field(init=False)
    mismatches: list[tuple[int, int, Mismatch]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.text = (ROOT / self.name).read_text(encoding="utf-8")

    def run(self) -> None:
        """Run every block; mismatches are collected, other failures raised."""
        shutil.copytree(ROOT / "specs", self.folder / "specs")
        shell = Shell(self.folder)
        namespace: dict[str, Any] = {"__name__": "__docs__"}
        with chdir(self.folder):
            for block in blocks(self.text):
                where = f"{self.name}:{block.line}"
                if block.kind == "python":
                    self._python(block, namespace, where)
                elif block.kind == "yaml":
                    build_yaml(block, self.folder, where)
                elif block.kind == "console":
                    self._console(block, shell)
                else:
                    unchecked = ("sh", "text", "bibtex", "math")
                    assert block.kind in unchecked, f"{where}: {block.kind!r}"

    def _python(self, block: Block, namespace: dict[str, Any], where: str) -> None:
        if not block.body.lstrip().startswith(">>>"):
            # Padded with empty lines, so that a traceback gives the page's line.
            code = "\n" * (block.line - 1) + block.body
            compiled = compile(code, str(ROOT / self.name), "exec", dont_inherit=True)
            exec(compiled, namespace)  # noqa: S102 - our own pages
            return
        test = doctest.DocTestParser().get_doctest(block.body, namespace, where, where, block.line)
        runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
        report: list[str] = []
        runner.run(test, out=report.append, clear_globs=False)
        namespace.update(test.globs)
        assert not runner.failures, f"{where}:\n" + "".join(report)

    def _console(self, block: Block, shell: Shell) -> None:
        for command in commands(block.body):
            actual = shell.run(command.text)
            if not agrees(command.shown, actual):
                line = block.line + command.line
                found = Mismatch(self.name, line, command.text, command.shown, actual)
                start = block.start + command.start
                self.mismatches.append((start, start + len(command.shown), found))

    def renew(self) -> None:
        """Write what the commands print into the page."""
        for start, stop, found in reversed(self.mismatches):
            self.text = self.text[:start] + found.actual + self.text[stop:]
        (ROOT / self.name).write_text(self.text, encoding="utf-8")


def main(names: list[str]) -> None:
    """Run pages and renew them."""
    import tempfile

    for name in names or PAGES:
        with tempfile.TemporaryDirectory() as folder:
            page = Page(name, Path(folder))
            page.run()
            page.renew()
            print(f"{name}: {len(page.mismatches)} outputs renewed")


if __name__ == "__main__":
    main(sys.argv[1:])
