"""What `robots.txt` forbids, by RFC 9309: the longest rule that fits decides. Pure.

The standard library's parser takes the first rule that fits and knows neither `*` nor `$`, which
the files of most shops hold.
"""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

from msgspec import Struct

ANYBODY = "*"
CRAWLERS = (ANYBODY, "googlebot", "bingbot")
"""Those that matter to a shop."""

_MOST_LINES = 10_000


class Rule(NamedTuple):
    """One line: a pattern of paths, and whether they may be crawled."""

    pattern: str
    allow: bool

    def fits(self, path: str) -> bool:
        """Whether the rule speaks of a path (with its query)."""
        first, *others = self.pattern.removesuffix("$").split("*")
        if not path.startswith(first):
            return False
        # The leftmost place of each part leaves most for those behind it.
        at = len(first)
        for part in others:
            at = path.find(part, at) + len(part)
            if at < len(part):
                return False
        if not self.pattern.endswith("$"):
            return True
        # Wherever the last part was found, it stands at the end as well or not at all.
        return path.endswith(others[-1]) if others else path == first


class Robots(Struct, frozen=True):
    """The rules of one file, by the crawler they are for."""

    rules: dict[str, list[Rule]]

    @classmethod
    def parse(cls, text: str) -> Robots:
        """Read a file; what is no rule is passed over, as crawlers do."""
        rules: defaultdict[str, list[Rule]] = defaultdict(list)
        agents: list[str] = []
        naming = False
        for line in text.splitlines()[:_MOST_LINES]:
            name, colon, value = line.partition("#")[0].partition(":")
            name, value = name.strip().lower(), value.strip()
            if not colon or name not in ("user-agent", "allow", "disallow"):
                continue
            if name == "user-agent":
                agents = [*agents, value.lower()] if naming else [value.lower()]
                naming = True
                rules[value.lower()] += []
                continue
            naming = False
            if value.startswith(("/", "*")):
                for agent in agents:
                    rules[agent].append(Rule(value, name == "allow"))
        return cls(dict(rules))

    def is_open(self, path: str) -> bool:
        """Whether every crawler that matters may fetch a path."""
        return all(self.allows(path, agent) for agent in CRAWLERS)

    def allows(self, path: str, agent: str = ANYBODY) -> bool:
        """Whether a crawler may fetch a path. One that is not named keeps the rules of all."""
        rules = self.rules.get(agent.lower(), self.rules.get(ANYBODY, []))
        fitting = [rule for rule in rules if rule.fits(path)]
        if not fitting:
            return True
        # Of two rules that are as long, the one that allows counts.
        return max(fitting, key=lambda rule: (len(rule.pattern), rule.allow)).allow
