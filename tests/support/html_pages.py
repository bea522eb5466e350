"""A parser of HTML pages, and a real browser."""

from __future__ import annotations

import json
import shutil
import tempfile
from contextlib import contextmanager
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

__all__ = ["Browser", "Page", "chromium", "point_at"]

_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_PHONE = {"width": 390, "height": 800, "pixelRatio": 2, "touch": True}


class Page(HTMLParser):
    """A page as an HTML parser sees it.

    Attributes:
        elements: Tag and attributes of each element.
        inside: The text in each ``script`` and ``style``, by tag and type.
    """

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.inside: dict[str, str] = {}
        self.words: list[str] = []
        self._raw = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Record an element."""
        given = {name: value or "" for name, value in attrs}
        self.elements.append((tag, given))
        self._raw = given.get("type", tag) if tag in {"script", "style"} else ""
        if self._raw:
            self.inside[self._raw] = ""

    def handle_endtag(self, tag: str) -> None:
        """Record the end of text that a browser hides."""
        del tag
        self._raw = ""

    def handle_data(self, data: str) -> None:
        """Record a text."""
        if self._raw:
            self.inside[self._raw] += data
        else:
            self.words.append(data)

    @property
    def facts(self) -> dict[str, dict[str, Any]]:
        """The facts about each step, by its id."""
        found: dict[str, dict[str, Any]] = json.loads(self.inside["application/json"])
        return found

    def of_class(self, name: str) -> list[dict[str, str]]:
        """Return the attributes of each group of the drawing that has this class."""
        return [
            attributes
            for tag, attributes in self.elements
            if tag == "g" and name in attributes.get("class", "").split()
        ]

    def steps(self) -> list[tuple[str, str]]:
        """Return flow and name of each step, sorted."""
        nodes = self.of_class("node")
        return sorted((one["data-flow"], one["data-step"]) for one in nodes)

    def edges(self) -> list[tuple[str, str]]:
        """Return the names of the steps at both ends of each edge, sorted."""
        names = {one["id"]: one["data-step"] for one in self.of_class("node")}
        return sorted(
            (names[one["data-before"]], names[one["data-after"]])
            for one in self.of_class("edge")
        )


class Browser:
    """Chromium with one page: what a user does, and what the page does."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    def open(self, path: Path) -> None:
        """Open a file, and forget the messages about others."""
        self.driver.get("about:blank")
        self.complaints()
        self.requests()
        self.driver.get(path.as_uri())

    def find(self, selector: str) -> Any:
        """Return the one element that a CSS selector finds."""
        (found,) = self.driver.find_elements("css selector", selector)
        return found

    def texts(self, selector: str) -> list[str]:
        """Return the text of each visible element."""
        found = self.driver.find_elements("css selector", selector)
        return [one.text for one in found if one.is_displayed()]

    def ids(self, selector: str) -> list[str]:
        """Return the ids of the elements that a CSS selector finds, sorted."""
        found = self.driver.find_elements("css selector", selector)
        return sorted(one.get_attribute("id") for one in found)

    def press(self, *keys: str) -> None:
        """Press keys, wherever the focus is."""
        self.driver.switch_to.active_element.send_keys(*keys)

    def run(self, script: str, *arguments: object) -> Any:
        """Run JavaScript like an extension, without the page's policy."""
        return self.driver.execute_script(script, *arguments)

    def command(self, name: str, **parameters: object) -> Any:
        """Send a command of the DevTools protocol."""
        return self.driver.execute_cdp_cmd(name, parameters)

    def settle(self) -> None:
        """Wait until the page has drawn its last change."""
        self.driver.execute_async_script(
            "requestAnimationFrame(() => requestAnimationFrame(arguments[0]))"
        )

    def complaints(self) -> list[str]:
        """Return the console messages since the last call."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requests(self) -> list[str]:
        """Return the requested addresses since the last call, but not data in them."""
        events = [
            json.loads(entry["message"])["message"]
            for entry in self.driver.get_log("performance")
        ]
        urls = [
            event["params"]["request"]["url"]
            for event in events
            if event["method"] == "Network.requestWillBeSent"
        ]
        return [url for url in urls if not url.startswith("data:")]


def point_at(browser: Browser, element: Any) -> None:
    """Move the pointer."""
    from selenium.webdriver import ActionChains  # noqa: PLC0415  # is optional

    ActionChains(browser.driver).move_to_element(element).perform()
    browser.settle()


@contextmanager
def chromium(*more: str, is_phone: bool = False) -> Generator[Browser]:
    """Run a Chromium without a window."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="needs selenium")
    program, driver = (_needed(name) for name in ("chromium", "chromedriver"))
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        options = webdriver.ChromeOptions()
        options.binary_location = program
        for flag in (*_FLAGS, f"--user-data-dir={folder}", *more):
            options.add_argument(flag)
        logs = {"browser": "ALL", "performance": "ALL"}
        options.set_capability("goog:loggingPrefs", logs)
        if is_phone:
            emulated = {"deviceMetrics": _PHONE}
            options.add_experimental_option("mobileEmulation", emulated)
        service = webdriver.ChromeService(executable_path=driver)
        with webdriver.Chrome(options, service) as started:
            started.set_window_size(1400, 900)
            yield Browser(started)


def _needed(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"needs {name}")
    return found
