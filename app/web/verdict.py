"""The verdict as one page for people."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from app.web.pages import page

Json = dict[str, Any]


def verdict_page(found: Json) -> str:
    """The page of a verdict as the API answers it."""
    checks = [_marked(each) for each in found["checks"]]
    grouped = groupby(checks, lambda each: str(each["id"]).partition(".")[0])
    return page("verdict", found=found, groups=[(name, list(each)) for name, each in grouped])


def _marked(check: Json) -> Json:
    """With the word and the colour that it is shown by."""
    if check["stands_in_way"]:
        word, colour = check["state"], "bad"
    elif check["waived"]:
        word, colour = "waived", "warn"
    elif check["state"] in ("passed", "skipped"):
        word, colour = check["state"], "good" if check["state"] == "passed" else "faint"
    else:
        word, colour = f"{check['state']}, and does not stand in the way", "warn"
    return {**check, "word": word, "colour": colour}
