"""The checks find what they are there for, and this tree passes them."""

import pathlib
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE))

import check_includes  # noqa: E402
import check_tree  # noqa: E402


def make_tree(root, files):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


GOOD = {
    "src/base/CMakeLists.txt": "argosy_folder(base LIBS fmt::fmt)\n",
    "src/base/bytes.h": "#pragma once\n",
    "src/http/CMakeLists.txt": "argosy_folder(http DEPS base)\n",
    "src/http/parser.h": '#pragma once\n#include "base/bytes.h"\n',
    "src/http/parser.cc": '#include "http/parser.h"\n#include <nlohmann/json.hpp>\n',
    "src/catalog/CMakeLists.txt": "argosy_folder(catalog DEPS base)\n",
    "src/catalog/catalog.h": "#pragma once\n",
    "src/control/CMakeLists.txt": "argosy_folder(control\n  DEPS catalog base)  # a comment with DEPS http\n",
    "src/control/planner.h": '#pragma once\n#include "catalog/catalog.h"\n',
    "src/api/CMakeLists.txt": "argosy_folder(api DEPS base http catalog EXCLUDE_DIRS s3 sts)\n",
    "src/api/service.h": '#pragma once\n#include "http/parser.h"\n',
    "src/api/s3/CMakeLists.txt": "argosy_folder(api/s3 DEPS api)\n",
    "src/api/s3/s3.h": '#pragma once\n#include "api/service.h"\n#include "http/parser.h"\n',
    "src/api/sts/CMakeLists.txt": "argosy_folder(api/sts DEPS api)\n",
    "src/api/sts/sts.h": "#pragma once\n",
    "src/testing/CMakeLists.txt": "argosy_folder(testing DEPS base)\n",
    "src/testing/world.h": "#pragma once\n",
    "src/main/command_line.cc": 'Verb("up", "Start it", group, x);\nVerb("agent", "Inside", "", x);\n',
    "docs/guides/cli.md": "# CLI\n\n## `argosy up`\n\n[there](cli.md)\n",
}


def test_a_good_tree_passes(tmp_path):
    make_tree(tmp_path, GOOD)
    assert check_includes.check(tmp_path) == []
    assert check_tree.check(tmp_path)[0] == []


INCLUDE_VIOLATIONS = {
    "upwards": ("src/base/up.cc", '#include "http/parser.h"\n', "does not stand below"),
    "same rank": ("src/catalog/side.cc", '#include "objectstore/o.h"\n', "does not stand below"),
    "api calls control": ("src/api/bad.cc", '#include "control/planner.h"\n', "must not know control/"),
    "sibling services": ("src/api/s3/bad.cc", '#include "api/sts/sts.h"\n', "do not know each other"),
    "not among DEPS": ("src/control/bad.cc", '#include "http/parser.h"\n', "not among the DEPS"),
    "test code in the product": ("src/control/bad.cc", '#include "testing/world.h"\n', "for tests only"),
    "heavy header": ("src/base/heavy.h", "#pragma once\n#include <nlohmann/json.hpp>\n", "heavy header"),
    "by bare name": ("src/base/bare.cc", '#include "bytes.h"\n', "by its path"),
    "not there": ("src/base/gone.cc", '#include "base/gone.h"\n', "there is no src/base/gone.h"),
    "DEPS upwards": ("src/http/CMakeLists.txt", "argosy_folder(http DEPS base control)\n", "does not stand below"),
    "no rank": ("src/newcomer/x.cc", '#include "base/bytes.h"\n', "has no rank"),
}


@pytest.mark.parametrize("name", INCLUDE_VIOLATIONS)
def test_an_include_that_breaks_the_table_is_found(tmp_path, name):
    path, text, sentence = INCLUDE_VIOLATIONS[name]
    make_tree(tmp_path, GOOD | {"src/objectstore/o.h": "#pragma once\n"} | {path: text})
    problems = check_includes.check(tmp_path)
    assert any(sentence in problem and problem.startswith(path) for problem in problems), problems


def test_a_test_may_include_the_simulated_world(tmp_path):
    make_tree(tmp_path, GOOD | {
        "src/control/CMakeLists.txt": "argosy_folder(control DEPS catalog base TEST_DEPS testing)\n",
        "src/control/planner_test.cc": '#include "testing/world.h"\n',
    })
    assert check_includes.check(tmp_path) == []


TREE_VIOLATIONS = {
    "machine path": ("docs/a.md", "see /ho" + "me/someone/x\n", "path of one machine"),
    "unfinished": ("src/base/a.cc", "// TO" + "DO: later\n", "not finished"),
    "using namespace": ("src/base/a.h", "#pragma once\nusing namespace std;\n", "using namespace"),
    "no pragma once": ("src/base/a.h", "int x;\n", "#pragma once"),
    "too long": ("src/base/a.cc", "\n" * 1001, "more than 1000 lines"),
    "undocumented verb": ("docs/guides/cli.md", "# CLI\n\n`argosy up` is mentioned only\n", "no section for `argosy up`"),
    "dead link": ("docs/a.md", "[x](nowhere.md)\n", "which is not there"),
}


@pytest.mark.parametrize("name", TREE_VIOLATIONS)
def test_a_broken_habit_is_found(tmp_path, name):
    path, text, sentence = TREE_VIOLATIONS[name]
    make_tree(tmp_path, GOOD | {path: text})
    problems, _ = check_tree.check(tmp_path)
    assert any(sentence in problem for problem in problems), problems


def test_the_command_fails_when_something_is_found(tmp_path):
    make_tree(tmp_path, GOOD | {"src/base/up.cc": '#include "http/parser.h"\n'})
    run = subprocess.run([sys.executable, HERE / "check_includes.py", tmp_path], capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert "src/base/up.cc:1" in run.stdout


def test_this_tree_keeps_its_ranks():
    assert check_includes.check(ROOT) == []


def test_this_tree_keeps_its_habits():
    problems, notes = check_tree.check(ROOT)
    print("\n".join(notes))
    assert problems == []
