"""What a browser makes of one of our pages: what it asks for, complains of, and shows."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from selenium.webdriver import Chrome

PHONE = 360
"""Width of a small phone's screen, in CSS pixels."""

READABLE = 120
"""Width in which a sentence can be read, in CSS pixels."""

LEGIBLE = 4.5
"""Contrast of text with what lies behind it, as WCAG 2 (AA) asks for."""

_WIDER = """
const most = arguments[0], found = [];
for (const each of document.querySelectorAll("body, body *")) {
  if (each.closest(".scroll") && !each.matches(".scroll")) continue;
  const right = Math.ceil(each.getBoundingClientRect().right);
  if (right > most) found.push(`${each.tagName} ${right}: ${each.textContent.trim().slice(0, 40)}`);
}
if (document.documentElement.scrollWidth > most) {
  found.push(`page ${document.documentElement.scrollWidth}`);
}
return found;
"""

# Every element that has text of its own, with its colour and that of the nearest painted ground.
_PAINTED = """
const found = [];
for (const each of document.querySelectorAll("body *")) {
  const own = [...each.childNodes].some(n => n.nodeType === Node.TEXT_NODE && n.data.trim());
  if (!own) continue;
  let ground = each;
  while (ground && getComputedStyle(ground).backgroundColor === "rgba(0, 0, 0, 0)") {
    ground = ground.parentElement;
  }
  const behind = ground ? getComputedStyle(ground).backgroundColor : "none";
  found.push([each.tagName + "." + each.className, getComputedStyle(each).color, behind]);
}
return found;
"""

# Cells that have to break within words, though the page could scroll them.
_NARROW = """
return [...document.querySelectorAll("td")].filter(each => {
  const text = each.innerText.trim();
  return text.includes(" ") && each.getBoundingClientRect().width < arguments[0];
}).map(each => each.innerText.trim().slice(0, 40));
"""


@dataclass(frozen=True, slots=True)
class Text:
    """Text on a page: which element shows it, its colour, and the colour behind it."""

    element: str
    colour: tuple[float, ...]
    ground: tuple[float, ...]

    @property
    def contrast(self) -> float:
        """From 1 (cannot be seen) to 21 (black on white)."""
        brighter, darker = sorted((_luminance(self.colour), _luminance(self.ground)), reverse=True)
        return (brighter + 0.05) / (darker + 0.05)


class Browser:
    """Opens a page from its file, as whoever was sent one does, on the screen of a phone."""

    def __init__(self, chrome: Chrome) -> None:
        self.chrome = chrome
        metrics = {"width": PHONE, "height": 740, "deviceScaleFactor": 1, "mobile": True}
        self._tell("Emulation.setDeviceMetricsOverride", metrics)

    def open(self, file: Path, *, scheme: str = "light") -> None:
        """Show a page in the colours of a scheme, `light` or `dark`."""
        self.visit(file.as_uri(), scheme=scheme)

    def visit(self, url: str, *, scheme: str = "light") -> None:
        """As `open`, a page that is served."""
        media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        self._tell("Emulation.setEmulatedMedia", media)
        for kind in ("browser", "performance"):
            self.chrome.get_log(kind)  # what was before is of other pages
        self.chrome.get(url)

    def asked_for(self) -> list[str]:
        """Addresses that the page wanted anything from, but for itself and what is within it."""
        sent = [
            json.loads(entry["message"])["message"] for entry in self.chrome.get_log("performance")
        ]
        urls = [
            each["params"]["request"]["url"]
            for each in sent
            if each["method"] == "Network.requestWillBeSent"
        ]
        return [url for url in urls if url != self.chrome.current_url]

    def complaints(self) -> list[str]:
        """What the browser's console says: errors, also of what the page's own policy stopped."""
        return [entry["message"] for entry in self.chrome.get_log("browser")]

    def wider(self) -> list[str]:
        """Whatever reaches beyond the screen and is not in a box that scrolls by itself."""
        return self.chrome.execute_script(_WIDER, PHONE)

    def narrow_cells(self) -> list[str]:
        """Cells that hold several words and are too narrow to read them."""
        return self.chrome.execute_script(_NARROW, READABLE)

    def texts(self) -> list[Text]:
        """Every text on the page, as it is painted."""
        return [
            Text(element, _colour(colour), _colour(ground))
            for element, colour, ground in self.chrome.execute_script(_PAINTED)
        ]

    def shown(self) -> str:
        """The page's text as a reader sees it."""
        return self.chrome.execute_script("return document.body.innerText")

    def count(self, selector: str) -> int:
        """How many elements there are."""
        return self.chrome.execute_script(
            "return document.querySelectorAll(arguments[0]).length", selector
        )

    def _tell(self, command: str, values: dict[str, Any]) -> None:
        self.chrome.execute_cdp_cmd(command, values)


def _colour(css: str) -> tuple[float, ...]:
    """Red, green and blue, from 0 to 1, of `rgb(1, 2, 3)`. Half-transparent colours fail."""
    assert css.startswith("rgb("), css
    return tuple(int(part) / 255 for part in css[4:-1].split(","))


def _luminance(colour: tuple[float, ...]) -> float:
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
