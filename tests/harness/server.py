"""One Argosy under test: the built program, started in a directory and on a port of its own."""

import os
import random
import re
import shlex
import signal
import socket
import subprocess
from pathlib import Path

from harness import processes

REPOSITORY = Path(__file__).resolve().parents[2]
START_SECONDS = 30  # of a machine that is busy with other tests; the program itself needs a fraction of one
STOP_SECONDS = 60


def program():
    """The program under test: ARGOSY_BUILD_DIR says which build, release by default."""
    build = Path(os.environ.get("ARGOSY_BUILD_DIR", REPOSITORY / "build" / "release"))
    if not build.is_absolute():
        build = REPOSITORY / build
    return build / "argosy"


def sanitized():
    """Whether the program under test was built with a sanitizer (see CMakePresets.json)."""
    return program().parent.name in ("asan", "tsan", "fuzz")


def clean_environment(**extra):
    """This process's environment without anything that would tell a client or the program where to go, or how wide to write."""
    told = ("AWS_", "ARGOSY_", "SAGEMAKER_", "XDG_", "COLUMNS")
    env = {k: v for k, v in os.environ.items() if not k.startswith(told)}
    env.update({k: str(v) for k, v in extra.items()})
    return env


def free_port():
    """A free port below the range that the kernel gives to clients, so that none of them takes it during a restart."""
    while True:
        port = random.SystemRandom().randrange(15000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


class Finished:
    """What a run of the program gave."""

    def __init__(self, completed):
        self.code = completed.returncode
        self.out = completed.stdout
        self.err = completed.stderr

    def __repr__(self):
        return f"exit {self.code}\n--- out\n{self.out}\n--- err\n{self.err}"


def run(*words, data_dir=None, env=None, timeout=120, cwd=None, stdin=None, wrapper=()):
    """`argosy <words>` to its end."""
    place = {} if data_dir is None else {"ARGOSY_DATA_DIR": data_dir}
    full = clean_environment(**{**place, **(env or {})})
    completed = subprocess.run(
        [*wrapper, str(program()), *map(str, words)],
        env=full,
        cwd=cwd,
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    return Finished(completed)


class Server:
    """`argosy up` in the foreground. start() returns once the ready line is out; what it says is `ready_line`."""

    def __init__(self, data_dir, options=(), env=None, listen=None):
        self.data_dir = Path(data_dir)
        self.options = list(options)
        self.extra_env = dict(env or {})
        self.listen = listen or f"127.0.0.1:{free_port()}"
        self.process = None
        self.ready_line = None
        self.endpoint = None
        self._starts = 0

    @property
    def pid(self):
        return self.process.pid

    @property
    def port(self):
        return int(self.endpoint.rsplit(":", 1)[1])

    @property
    def host(self):
        return self.endpoint.split("//")[1].rsplit(":", 1)[0]

    @property
    def address(self):
        return self.host, self.port

    def log_text(self):
        return "".join(
            p.read_text(errors="replace") for p in sorted(self.data_dir.parent.glob(self.data_dir.name + ".up-*.log"))
        )

    def spawn(self):
        """Starts the process without waiting for anything."""
        assert program().exists(), f"{program()} is not built; build it, or name a build with ARGOSY_BUILD_DIR"
        self._starts += 1
        self._log = self.data_dir.parent / f"{self.data_dir.name}.up-{self._starts:03}.log"
        with open(self._log, "wb") as log:
            self.process = subprocess.Popen(
                [str(program()), "up", "--data-dir", str(self.data_dir), "--listen", self.listen, *self.options],
                env=clean_environment(**self.extra_env),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return self

    def _find_ready_line(self):
        text = self._log.read_text(errors="replace")
        found = re.search(r"^argosy is ready at (http://\S+:\d+).*\n", text, re.M)
        if found:
            return found
        if self.process.poll() is not None:
            raise AssertionError(f"argosy up ended with {self.process.returncode} before it was ready:\n{text}")
        return None

    def await_ready(self):
        found = processes.wait_for(self._find_ready_line, START_SECONDS, "the ready line of argosy up", every=0.005)
        self.ready_line = found.group(0)
        self.endpoint = found.group(1)
        return self

    def start(self):
        return self.spawn().await_ready()

    def stop(self):
        """SIGTERM, and waits; gives the exit code."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_SECONDS)

    def kill(self):
        """kill -9 of the server alone."""
        self.process.kill()
        self.process.wait(STOP_SECONDS)

    def agent_pids(self):
        return [p for p in processes.of_data_dir(self.data_dir, program()) if p != self.process.pid]

    def kill_agents(self):
        pids = self.agent_pids()
        processes.kill_and_wait(pids)
        return pids

    def kill_everything(self):
        """kill -9 of the server and of all agents of the directory, at one moment as far as that goes."""
        everything = {*processes.of_data_dir(self.data_dir, program()), self.process.pid}
        for pid in everything:
            processes.kill(pid)
        self.process.wait(STOP_SECONDS)
        # An agent that was being started while the list was made.
        processes.wait_for(self._all_gone, 30, "all processes of the directory to end")

    def _all_gone(self):
        left = processes.of_data_dir(self.data_dir, program())
        for pid in left:
            processes.kill(pid)
        return not left

    def dispose(self):
        """Ends whatever of this directory still runs; for tear-down."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(STOP_SECONDS)
        processes.wait_for(self._all_gone, 30, "all processes of the directory to end")

    def argosy(self, *words, **options):
        """Another verb of the program on this directory."""
        env = {**self.extra_env, **options.pop("env", {})}
        return run(*words, data_dir=self.data_dir, env=env, **options)

    def exports(self):
        """What `argosy env` prints, as a dictionary."""
        told = self.argosy("env")
        assert told.code == 0, told
        exports = {}
        for line in told.out.splitlines():
            line = line.strip()
            if not line or line.startswith(("#", "unset ")):
                continue
            assert line.startswith("export "), f"argosy env printed {line!r}"
            for word in shlex.split(line[len("export ") :]):
                name, _, value = word.partition("=")
                exports[name] = value
        return exports
