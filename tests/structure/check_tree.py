#!/usr/bin/env python3
"""Checks the habits that a compiler does not see.

    check_tree.py [ROOT]      prints each violation as file:line: sentence; exit code 1 when there is any

Long files are noted, not refused.
"""

import pathlib
import re
import subprocess
import sys

TEXT_SUFFIXES = {".h", ".cc", ".py", ".md", ".txt", ".cmake", ".json", ".toml", ".yaml", ".yml", ".sh", ""}
LINES_NOTED = 500
LINES_MAX = 1000

# Paths of one machine, and words that say a thing is not finished. Spelt apart so that this file passes.
MACHINE_PATH = re.compile(r"(?<![\w.$}/])/(" + "wo" + r"rk|ho" + r"me|Us" + r"ers)/\w")
UNFINISHED = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b")
VERB = re.compile(r'Verb\("(\w+)", "(?:[^"\\]|\\.)+",\s*(\w+|"")')
USING_NAMESPACE = re.compile(r"^\s*using namespace\s")


def tracked_files(root):
    """Files of the project: what git knows or would add; every file where there is no git."""
    listing = subprocess.run(
        ["git", "-C", str(root), "ls-files", "-co", "--exclude-standard", "-z"], capture_output=True, check=False
    )
    if listing.returncode == 0:
        names = [name for name in listing.stdout.decode().split("\0") if name]
        return [root / name for name in sorted(set(names)) if (root / name).is_file()]
    return sorted(path for path in root.rglob("*") if path.is_file())


def check_text(relative, text):
    problems = []
    code = relative.suffix in (".h", ".cc")
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        where = f"{relative}:{number}"
        if MACHINE_PATH.search(line):
            problems.append(f"{where}: a path of one machine")
        if code and UNFINISHED.search(line):
            problems.append(f"{where}: a word that says this is not finished")
        if relative.suffix == ".h" and USING_NAMESPACE.match(line):
            problems.append(f"{where}: using namespace in a header")
    # Files that Highway includes once for each instruction set have a guard of their own.
    if relative.suffix == ".h" and not relative.stem.endswith("-inl") and "#pragma once" not in text:
        problems.append(f"{relative}:1: a header without #pragma once")
    if code and len(lines) > LINES_MAX:
        problems.append(f"{relative}:{len(lines)}: more than {LINES_MAX} lines; it has more than one reason to exist")
    return problems


def public_verbs(root):
    source = root / "src" / "main" / "command_line.cc"
    if not source.exists():
        return []
    return [name for name, group in VERB.findall(source.read_text()) if group != '""']


def check_verbs(root):
    """Every verb has a section in the guide."""
    guide = root / "docs" / "guides" / "cli.md"
    text = guide.read_text() if guide.exists() else ""
    verbs = public_verbs(root)
    problems = [] if verbs else ["src/main/command_line.cc:1: no verbs were found; the pattern of this check is out of date"]
    for verb in verbs:
        if not re.search(rf"^#+ .*`argosy {verb}\b", text, re.M):
            problems.append(f"docs/guides/cli.md:1: no section for `argosy {verb}`")
    return problems


def check_links(root, relative, text):
    """Links between the project's own pages lead somewhere."""
    problems = []
    for number, line in enumerate(text.splitlines(), 1):
        for target in re.findall(r"\]\(([^)#\s]+)", re.sub(r"`[^`]*`", "", line)):
            if "://" in target or target.startswith("mailto:"):
                continue
            if not (root / relative.parent / target).exists():
                problems.append(f"{relative}:{number}: a link to {target}, which is not there")
    return problems


def check(root):
    root = pathlib.Path(root)
    problems, notes = [], []
    for path in tracked_files(root):
        relative = path.relative_to(root)
        if path.suffix not in TEXT_SUFFIXES:
            continue
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        problems += check_text(relative, text)
        if path.suffix == ".md":
            problems += check_links(root, relative, text)
        if path.suffix in (".h", ".cc", ".py") and LINES_NOTED < text.count("\n") <= LINES_MAX:
            notes.append(f"note: {relative} has {text.count(chr(10))} lines")
    problems += check_verbs(root)
    return problems, notes


def main():
    root = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parents[2]
    problems, notes = check(root)
    for line in notes + problems:
        print(line)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
