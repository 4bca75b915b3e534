"""What is typed wrong: one line that names it, and an exit code."""

import pytest

from harness.cli import ok
from harness.server import run


class TestMistakes:
    @pytest.mark.parametrize(
        "words",
        [
            ["jobs", "never-was"],
            ["logs", "never-was"],
            ["deploy", "never-was"],
            ["predict", "never-was", "1"],
            ["stop", "never-was"],
            ["delete", "never-was"],
            ["endpoints", "never-was"],
        ],
    )
    def test_a_name_that_is_not_there(self, server, words):
        done = server.argosy(*words)
        assert done.code == 1, done
        assert "never-was" in done.err and len(done.err.strip().splitlines()) <= 2

    @pytest.mark.parametrize(
        "words", [["fly"], ["train"], ["jobs", "--no-such-flag"], ["up", "--listen", "nowhere"], []]
    )
    def test_a_command_line_that_is_wrong(self, server, words):
        done = server.argosy(*words)
        assert done.code == 2 or (not words and done.code in (0, 2)), done

    @pytest.mark.parametrize(
        "words, said",
        [
            (["jobs", "--json=maybe"], "--json takes no value; it was given 'maybe'"),
            (["up", "--detach=maybe"], "detach"),
            (["config", "--strict-types=maybe"], "strict-types"),
            (["trian", "my.csv"], "no verb 'trian'; the nearest is 'train'"),
        ],
    )
    def test_the_message_names_what_is_wrong(self, server, words, said):
        done = server.argosy(*words)
        assert done.code == 2
        assert said in done.err and len(done.err.strip().splitlines()) == 1
        if "=" in words[-1]:
            assert "maybe" in done.err

    def test_a_server_with_keys_given_from_outside(self, start_server):
        keys = {"ARGOSY_ACCESS_KEY_ID": "AKIAGIVENBYOWNER0000", "ARGOSY_SECRET_ACCESS_KEY": "a-secret-of-the-owners"}
        server = start_server(env=keys)
        for verb in ("env", "jobs"):
            done = run(verb, data_dir=server.data_dir)
            assert done.code == 1
            assert "ARGOSY_ACCESS_KEY_ID and ARGOSY_SECRET_ACCESS_KEY" in done.err
            ok(run(verb, data_dir=server.data_dir, env=keys))
        # Keys that an earlier server made lie there still: they are not this one's.
        server.kill()
        server.extra_env = {}
        server.start()
        assert keys["ARGOSY_ACCESS_KEY_ID"] not in ok(run("env", data_dir=server.data_dir)).out
        server.kill()
        server.extra_env = keys
        server.start()
        assert keys["ARGOSY_ACCESS_KEY_ID"] in ok(run("env", data_dir=server.data_dir, env=keys)).out
        assert run("env", data_dir=server.data_dir).code == 1

    def test_no_server(self, server, tmp_path):
        done = server.argosy("jobs", env={"ARGOSY_DATA_DIR": tmp_path})
        assert done.code == 3
        assert "argosy up" in done.err

    def test_help_of_up_names_its_options(self, server):
        out = ok(server.argosy("help", "up")).out
        for option in ("--detach", "--listen", "--data-dir", "--memory"):
            assert option in out

    def test_help_names_all_verbs(self, server):
        out = ok(server.argosy("help")).out
        for verb in (
            "up",
            "down",
            "status",
            "env",
            "config",
            "train",
            "deploy",
            "predict",
            "jobs",
            "logs",
            "stop",
            "endpoints",
            "delete",
        ):
            assert verb in out
