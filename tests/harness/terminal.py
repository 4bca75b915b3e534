"""The program on a terminal of its own: what it draws, and keys pressed."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time

from harness.server import clean_environment, program


class Terminal:
    """`argosy <words>` with a pseudo-terminal of so many columns as its controlling one; `drawn` is all it wrote."""

    def __init__(self, *words, data_dir, columns=80):
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        self.drawn = ""
        self.process = subprocess.Popen(
            [str(program()), *map(str, words)],
            env=clean_environment(ARGOSY_DATA_DIR=data_dir),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(slave)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._master)

    def press(self, keys):
        os.write(self._master, keys)

    def _more(self, seconds):
        """Reads what is there or comes within so many seconds; False at the end."""
        if not select.select([self._master], [], [], seconds)[0]:
            return True
        try:
            piece = os.read(self._master, 65536)
        except OSError:  # the last process has left it
            return False
        self.drawn += piece.decode(errors="replace")
        return bool(piece)

    def await_text(self, text, seconds=60):
        deadline = time.monotonic() + seconds
        while text not in self.drawn:
            assert time.monotonic() < deadline, f"{text!r} was not drawn: {self.drawn!r}"
            assert self._more(0.5) or text in self.drawn, f"{text!r} was not drawn: {self.drawn!r}"

    def end(self, seconds=60):
        """The exit code, once the program has ended."""
        deadline = time.monotonic() + seconds
        while self._more(0.5):
            assert time.monotonic() < deadline, f"it does not end: {self.drawn!r}"
        return self.process.wait(seconds)

    def progress(self):
        """The contents of the line that is written over and over, one after another."""
        return [piece for piece in self.drawn.split("\r\x1b[K") if piece and "\n" not in piece]
