"""A verdict as JUnit XML: one test case for each check, as pipelines show them."""

from __future__ import annotations

import re
from itertools import groupby
from pathlib import Path
from typing import Any

from junitparser import Failure, JUnitXml, Skipped, TestCase, TestSuite

Json = dict[str, Any]

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_junit(found: Json, path: Path) -> None:
    """Write a verdict's checks; the verdict itself is the last case. Raises `OSError`."""
    found = _plain(found)
    report = JUnitXml(f"recent-sync readiness of {found['migration']}")
    for group, checks in groupby(found["checks"], lambda each: str(each["id"]).partition(".")[0]):
        suite = TestSuite(group)
        suite.add_testcases([_case(each) for each in checks])
        report.add_testsuite(suite)
    suite = TestSuite("verdict")
    suite.add_testcase(_verdict(found))
    report.add_testsuite(suite)
    report.update_statistics()  # type: ignore[no-untyped-call]
    report.write(str(path), pretty=True)


def _case(check: Json) -> TestCase:
    case = TestCase(check["title"], classname=check["id"], time=check["seconds"])
    if check["stands_in_way"]:
        failure = Failure(check["summary"], check["state"])
        failure.text = "\n".join(_line(each) for each in check["evidence"])
        case.result = [failure]
    elif check["waived"]:
        waived = check["waived"]
        case.result = [Skipped(f"Waived by {waived['author']}: {waived['reason']}")]
    elif check["state"] != "passed":
        case.result = [Skipped(check["summary"])]
    case.system_out = "\n".join(line for line in (check["summary"], check["sample"]) if line)
    return case


def _verdict(found: Json) -> TestCase:
    case = TestCase("The verdict is ready", classname="verdict", time=0.0)
    if found["verdict"] != "ready":
        failure = Failure(found["summary"], found["verdict"])
        failure.text = "\n".join(f"{each['code']}: {each['message']}" for each in found["reasons"])
        case.result = [failure]
    return case


def _line(each: Json) -> str:
    where = (each["stream"], each["source_id"], each["target_id"], each["field"])
    return f"{' '.join(part for part in where if part)}: {each['message']}"


def _plain(value: Any) -> Any:
    """With a mark in all texts for what XML 1.0 has no place for: stores and people write them."""
    if isinstance(value, str):
        return _NO_XML.sub("\ufffd", value)
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list) else value
