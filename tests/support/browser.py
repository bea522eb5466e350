"""A real browser for tests: Debian's chromium and chromium-driver, without a window."""

from __future__ import annotations

import json
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["chromium", "complaints", "requests"]


@contextmanager
def chromium(*options: str) -> Generator[Any]:
    """Start Chromium with more *options*; skip the test if there is none."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="needs selenium")
    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if program is None or driver is None:
        pytest.skip("needs chromium")
    settings = webdriver.ChromeOptions()
    settings.binary_location = program
    for option in (
        "--headless=new",
        "--no-sandbox",  # tests may run as root
        "--disable-dev-shm-usage",
        "--window-size=1200,900",
        *options,
    ):
        settings.add_argument(option)
    logs = {"browser": "ALL", "performance": "ALL"}
    settings.set_capability("goog:loggingPrefs", logs)
    service = webdriver.ChromeService(driver)
    browser = webdriver.Chrome(options=settings, service=service)
    try:
        yield browser
    finally:
        browser.quit()


def complaints(browser: Any) -> list[str]:
    """Return what the console has logged since the last call."""
    return [entry["message"] for entry in browser.get_log("browser")]


def requests(browser: Any) -> list[str]:
    """Return the addresses that were requested from a network since the last call."""
    messages = [
        json.loads(entry["message"])["message"]
        for entry in browser.get_log("performance")
    ]
    addresses = [
        message["params"]["request"]["url"]
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
    ]
    return [one for one in addresses if not one.startswith(("file:", "data:"))]
