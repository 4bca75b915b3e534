#!/usr/bin/env python3
"""Checks who includes whom.

Every `#include "folder/…"` below src/ must go to a lower rank, to the folder itself, or be named in EXTRA_EDGES; and the
target must be among the folder's DEPS (TEST_DEPS count for tests), so that the build and the table say the same. Heavy
headers stay out of the headers that many files include.

    check_includes.py [ROOT]      prints each violation as file:line: sentence; exit code 1 when there is any
"""

import pathlib
import re
import sys

# Lowest first. Folders of one rank do not know each other.
RANKS = [
    ["base"],
    ["http"],
    ["auth"],
    ["objectstore", "catalog"],
    ["cost", "observe"],
    ["collective"],
    ["data"],
    ["model"],
    ["algorithms"],
    ["protocol"],
    ["agent"],
    ["compute", "serving"],
    ["control"],
    ["api", "console"],
    ["main"],
]

# Allowed by rank, forbidden by design: the services read and write catalog, objects and router; what follows from that is
# control's business.
FORBIDDEN_EDGES = {("api", "control"), ("api", "compute"), ("api", "agent"), ("console", "control")}

# Folders that only tests include: fakes and the simulated world.
TEST_ONLY = {"testing"}

# Costly to parse, or full of names: in .cc files and in the narrow headers named here.
HEAVY = re.compile(r"^(nlohmann/json\.hpp|CLI/|hwy/|Eigen/|yaml-cpp/|pugixml\.hpp|simdjson\.h|curl/|archive\.h|boost/)")
NARROW_HEADERS = {
    "agent/libarchive.h",  # handles of the two .cc files that unpack and pack
    "algorithms/matrix-inl.h",  # loops that Highway compiles for each instruction set, for two .cc files
    "catalog/json_fields.h",  # helpers of the catalog's own .cc files
}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
FOLDER = re.compile(r"argosy_folder\(([^)]*)\)", re.S)
KEYWORDS = {"NO_UNITY", "DEPS", "LIBS", "PRIVATE_LIBS", "TEST_DEPS", "EXCLUDE_DIRS"}


def rank_of(folder):
    for rank, names in enumerate(RANKS):
        if folder in names:
            return rank
    return None


def read_folders(src):
    """{folder: {"DEPS": [...], …}} from the argosy_folder lines; names of folders in folders keep their slash."""
    folders = {}
    for cmake in sorted(src.rglob("CMakeLists.txt")):
        text = re.sub(r"#.*", "", cmake.read_text())
        for match in FOLDER.finditer(text):
            words = match.group(1).split()
            lists = {keyword: [] for keyword in KEYWORDS}
            current = None
            for word in words[1:]:
                if word in KEYWORDS:
                    current = word
                elif current:
                    lists[current].append(word)
            folders[words[0]] = lists
    return folders


def owner_of(path, folders):
    """The library a file belongs to: the longest folder that holds it."""
    parts = path.parts[:-1]
    for length in range(len(parts), 0, -1):
        name = "/".join(parts[:length])
        if name in folders:
            return name
    return parts[0] if parts else ""


def closure(names, folders):
    seen = set()
    stack = list(names)
    while stack:
        name = stack.pop()
        if name in seen:
            continue
        seen.add(name)
        stack.extend(folders.get(name, {}).get("DEPS", []))
    return seen


def check_edge(source, target, is_test):
    """A sentence when `source` may not include `target` (both top folders)."""
    if target in TEST_ONLY:
        return None if is_test or source in TEST_ONLY else f"{target}/ is for tests only"
    if source in TEST_ONLY:
        return None
    if source == target:
        return None
    if (source, target) in FORBIDDEN_EDGES:
        return f"{source}/ must not know {target}/"
    source_rank, target_rank = rank_of(source), rank_of(target)
    if source_rank is None or target_rank is None:
        unknown = source if source_rank is None else target
        return f"{unknown}/ has no rank; give it one in tests/structure/check_includes.py"
    if target_rank >= source_rank:
        return f"{target}/ does not stand below {source}/"
    return None


def check(root):
    src = pathlib.Path(root) / "src"
    folders = read_folders(src)
    problems = []
    for name, lists in folders.items():
        for dep in lists["DEPS"]:
            top, target = name.split("/")[0], dep.split("/")[0]
            sentence = check_edge(top, target, is_test=False)
            if sentence:
                problems.append(f"src/{name}/CMakeLists.txt:1: DEPS {dep}: {sentence}")
    for path in sorted(src.rglob("*")):
        if path.suffix not in (".h", ".cc"):
            continue
        relative = path.relative_to(src)
        owner = owner_of(relative, folders)
        top = relative.parts[0]
        is_test = path.stem.endswith(("_test", "_fuzz", "_fixture"))
        lists = folders.get(owner, {})
        reachable = closure([owner, *lists.get("DEPS", []), *(lists.get("TEST_DEPS", []) if is_test else [])], folders)
        for number, line in enumerate(path.read_text().splitlines(), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            bracket, target = match.groups()
            where = f"src/{relative}:{number}"
            if path.suffix == ".h" and HEAVY.match(target) and not is_test and str(relative) not in NARROW_HEADERS:
                problems.append(f"{where}: {target} is a heavy header; include it in .cc files only")
            if bracket == "<":
                continue
            if "/" not in target:
                problems.append(f'{where}: include "{target}" by its path from src/')
                continue
            target_top = target.split("/")[0]
            if not (src / target).exists():
                if (src / target_top).is_dir():
                    problems.append(f"{where}: there is no src/{target}")
                continue
            target_owner = owner_of(pathlib.PurePosixPath(target), folders)
            sentence = check_edge(top, target_top, is_test)
            if sentence:
                problems.append(f"{where}: {sentence}")
            elif top == target_top and owner != target_owner and target_owner != top and owner.split("/")[0] == top:
                if target_owner not in reachable:
                    problems.append(f"{where}: {owner}/ and {target_owner}/ do not know each other")
            elif target_owner != owner and target_owner not in reachable:
                problems.append(f"{where}: {target_owner} is not among the DEPS of src/{owner}/CMakeLists.txt")
    return problems


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parents[2]
    problems = check(root)
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
