"""A real browser for tests of pages: Chromium, driven by Playwright.

A test module takes the fixture under its own name::

    import browser_tools

    browser = browser_tools.browser

    def test_page(browser, tmp_path):
        with browser_tools.visit(browser, tmp_path / "page.html") as seen:
            assert seen.page.title() == "..."
        assert seen.quiet

Without Playwright, or without Chromium, its tests are skipped and say why.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

#: Widths in pixels of a phone, a tablet and a desktop.
WIDTHS = (390, 820, 1440)

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def find_chromium() -> str | None:
    """The browser's executable: $BOUNDCALC_CHROMIUM, or the first on the path."""
    chosen = os.environ.get("BOUNDCALC_CHROMIUM")
    if chosen:
        return chosen if Path(chosen).is_file() else None
    return next((path for name in _NAMES if (path := shutil.which(name))), None)


def why_not() -> str | None:
    """Why no browser can be driven here, or None."""
    try:
        import playwright.sync_api  # noqa: F401 - asked for, not used
    except ImportError:
        return "playwright is not installed"
    if find_chromium() is None:
        return "no Chromium: install it, or set BOUNDCALC_CHROMIUM to its executable"
    return None


@contextmanager
def launched() -> Iterator[Any]:
    """A browser; close it before another one is started in the same process."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(_FLAGS))
        try:
            yield browser
        finally:
            browser.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One browser for a module's tests."""
    reason = why_not()
    if reason is not None:
        pytest.skip(reason)
    with launched() as found:
        yield found


@dataclass
class Seen:
    """What happened while a page was open.

    Attributes
    ----------
    messages
        Everything written to the console, and errors that were not caught.
    requests
        Addresses asked for, without the page itself and ``data:`` and ``blob:``.
    """

    page: Any
    messages: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    @property
    def quiet(self) -> bool:
        """Neither a message nor a request."""
        return not self.messages and not self.requests


@contextmanager
def visit(
    browser: Any,
    path: Path,
    *,
    width: int = 1440,
    height: int = 900,
    scheme: str = "light",
    fragment: str = "",
    **options: Any,
) -> Iterator[Seen]:
    """A file opened from disk in a context of its own, with clipboard rights."""
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=scheme,
        permissions=["clipboard-read", "clipboard-write"],
        **options,
    )
    try:
        page = context.new_page()
        seen = Seen(page)
        address = path.resolve().as_uri()
        page.on("console", lambda message: seen.messages.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: seen.messages.append(f"error: {error}"))

        def note(request: Any) -> None:
            if not request.url.startswith((address, "data:", "blob:")):
                seen.requests.append(request.url)

        page.on("request", note)
        page.goto(address + fragment)
        yield seen
    finally:
        context.close()


def clipboard(page: Any) -> str:
    """What was copied last."""
    found: str = page.evaluate("navigator.clipboard.readText()")
    return found


def wait_until(page: Any, expression: str, argument: Any = None, *, seconds: float = 10) -> None:
    """Ask a page until the answer is true.

    Playwright's own ``wait_for_function`` evaluates text inside the page, which a policy
    without ``unsafe-eval`` refuses.
    """
    for _ in range(int(seconds * 20)):
        if page.evaluate(expression, argument):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"never true: {expression}")


def overflow(page: Any) -> int:
    """Pixels by which the page itself is wider than its window; 0 if it never scrolls sideways."""
    found: int = page.evaluate(
        "Math.max(0, document.documentElement.scrollWidth - document.documentElement.clientWidth)"
    )
    return found


def axe_violations(
    page: Any, *rules: str, serious: bool = True, exclude: str | None = None
) -> list[str]:
    """Violations that axe-core finds: rule, and the first places; serious and critical only.

    Parameters
    ----------
    rules
        The rules to look at, such as ``color-contrast``; all of them if none is named.
    exclude
        Selects elements that are not looked into.
    """
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    options: dict[str, Any] = {"resultTypes": ["violations"]}
    if rules:
        options["runOnly"] = list(rules)
    context = None if exclude is None else {"exclude": [[exclude]]}
    found = axe.run(page, context=context, options=options).response["violations"]
    levels = ("serious", "critical") if serious else ("minor", "moderate", "serious", "critical")
    return [
        f"{entry['id']} ({entry['impact']}): "
        + "; ".join(" ".join(map(str, node["target"])) for node in entry["nodes"][:5])
        for entry in found
        if entry["impact"] in levels
    ]


def picture(page: Any, path: Path, *, whole: bool = True) -> Path:
    """A screenshot, of the whole page by default."""
    path.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=str(path), full_page=whole)
    return path
