"""`argosy completion SHELL`: what a real shell makes of a word and the TAB key."""

import os
import pty
import select
import shutil
import subprocess
import time

import pytest

from harness.server import clean_environment, program, run

ANSWER_SECONDS = 30

SHELLS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], "source <(argosy completion bash)"),
    "zsh": (["zsh", "-f", "-i"], "source <(argosy completion zsh)"),
}


class Terminal:
    """A shell that believes a person types."""

    def __init__(self, words, folder):
        ours, theirs = pty.openpty()
        path = f"{program().parent}:{os.environ['PATH']}"
        env = clean_environment(PATH=path, HOME=folder, TERM="dumb", PS1="ready$ ")
        self._shell = subprocess.Popen(
            words, stdin=theirs, stdout=theirs, stderr=theirs, cwd=folder, env=env, start_new_session=True
        )
        os.close(theirs)
        self._terminal = ours

    def types(self, keys, expected):
        """Sends the keys and gives what is seen until `expected` is."""
        os.write(self._terminal, keys.encode())
        seen = ""
        end = time.monotonic() + ANSWER_SECONDS
        while expected not in seen:
            ready, _, _ = select.select([self._terminal], [], [], max(0, end - time.monotonic()))
            assert ready, f"{expected!r} does not come after {keys!r}: {seen!r}"
            seen += os.read(self._terminal, 4096).decode(errors="replace").replace("\a", "")
        return seen

    def close(self):
        self._shell.kill()
        self._shell.wait()
        os.close(self._terminal)


@pytest.fixture(params=SHELLS)
def terminal(request, tmp_path):
    if shutil.which(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    words, source = SHELLS[request.param]
    (tmp_path / "my file.csv").write_text("1,2\n")
    shell = Terminal(words, tmp_path)
    # The shell's answer, not the echo of what was typed.
    shell.types(f"{source}; echo complete''ly\n", "completely")
    yield shell
    shell.close()


def test_a_tab_completes_verbs_values_and_names_of_files(terminal):
    for keys, whole in (
        ("argosy comp\t", "completion "),
        ("\x15argosy user ad\t", "add "),
        ("\x15argosy --log-level info help user rem\t", "remove "),
        ("\x15argosy train x --algorithm lin\t", "linear-learner "),
        ("\x15argosy train x --type=reg\t", "regressor "),
        ("\x15argosy train my\t", "my\\ file.csv"),
    ):
        terminal.types(keys, whole)


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
def test_fish_is_offered_verbs_values_and_names_of_files(tmp_path):
    (tmp_path / "my file.csv").write_text("1,2\n")

    def offered(line):
        done = subprocess.run(
            ["fish", "--no-config", "-c", f"argosy completion fish | source; complete -C '{line}'"],
            env=clean_environment(PATH=f"{program().parent}:{os.environ['PATH']}", HOME=tmp_path),
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done
        return done.stdout.splitlines()

    assert offered("argosy comp") == ["completion"]
    assert set(offered("argosy user ")) == {"add", "list", "remove", "key"}
    assert offered("argosy --log-level info help user rem") == ["remove"]
    assert offered("argosy train x --type=reg") == ["--type=regressor"]
    assert offered("argosy train my") == ["my file.csv"]


def test_bash_is_offered_all_that_fits():
    def offered(*words):
        listed = " ".join(f"'{word}'" for word in words)
        script = f"source <(argosy completion bash); COMP_WORDS=(argosy {listed}); COMP_CWORD={len(words)}; _argosy; "
        path = f"{program().parent}:{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-c", script + 'printf "%s\\n" "${COMPREPLY[@]}"'],
            env=clean_environment(PATH=path),
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0 and done.stderr == "", done
        return done.stdout.split()

    assert offered("user", "") == ["add", "list", "remove", "key"]
    assert offered("completion", "") == ["bash", "zsh", "fish"]
    assert offered("train", "a.csv", "--type", "=", "b") == ["binary"]
    assert {"train", "user", "help"} <= set(offered("--data-dir", "x", ""))
    assert offered("train", "") == []  # the shell's own completion of names does it


def test_a_shell_that_has_no_script_is_refused():
    done = run("completion", "tcsh")
    assert done.code == 2 and "tcsh" in done.err
