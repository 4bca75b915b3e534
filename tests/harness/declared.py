"""What Argosy declares, as docs/guides/api.md tells it (a unit test holds that page against the declarations)."""

import re

from harness.server import REPOSITORY

CHAPTERS = "<!-- overview: end -->\n"  # the overview before them is made of them
GUIDE = REPOSITORY / "docs" / "guides" / "api.md"


def operations():
    """{service: {operation: {member: what Argosy does with it}}}; members of members have dots in their names."""
    services = {}
    service = operation = None
    for line in GUIDE.read_text().partition(CHAPTERS)[2].splitlines():
        if line.startswith("## "):
            service = services.setdefault(line[3:], {})
        elif line.startswith("### "):
            operation = service.setdefault(line[4:], {})
        elif found := re.match(r"\| `([^`]+)`(?: \(required\))? \| .* \| ([^|]+) \|$", line):
            operation[found[1]] = found[2]
        elif found := re.match(r"\| `([^`]+)` \| [^|]+ \|$", line):
            service[found[1]] = {}
    return services
