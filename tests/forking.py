"""A process that starts others like itself: it has loaded everything, so that each is ready at once.

Run as `python -m tests.forking ARGUMENT...`: each line that it reads makes one more process, which is
`harvester ARGUMENT...` from its first line on; the answer is its number.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Self

ROOT = Path(__file__).resolve().parents[1]


class Forge:
    """Starts processes of one command with one environment, each in a moment; all are gone when it is closed."""

    def __init__(self, *arguments: str, environment: Mapping[str, str], log: Path) -> None:
        command = [sys.executable, "-m", "tests.forking", *arguments]
        self._log = log.open("ab")
        self._parent = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        self._started: list[int] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for number in list(self._started):
            self.kill(number)
        with self._parent:
            _pipe(self._parent.stdin).close()
        self._log.close()

    def start(self) -> int:
        """The number of a new process."""
        _pipe(self._parent.stdin).write("\n")
        _pipe(self._parent.stdin).flush()
        number = int(_pipe(self._parent.stdout).readline())
        self._started.append(number)
        return number

    def kill(self, number: int) -> None:
        """End a process without a word, as `kill -9` does."""
        os.kill(number, signal.SIGKILL)
        self._started.remove(number)

    def pause(self, number: int) -> None:
        """Stop a process as it stands, as a machine that hangs."""
        os.kill(number, signal.SIGSTOP)

    def go_on(self, number: int) -> None:
        """Let it go on where it stopped."""
        os.kill(number, signal.SIGCONT)

    def terminate(self, number: int) -> None:
        """Ask a process to end, as a process manager does."""
        os.kill(number, signal.SIGTERM)
        self._started.remove(number)


def _pipe(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None
    return pipe


def _become(arguments: list[str]) -> None:
    from harvester.cli import main

    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    sys.argv = ["harvester", *arguments]
    main()


def _serve(arguments: list[str]) -> None:
    from harvester import cli, registry

    assert cli.app is not None
    for name in registry.names():
        registry.connector(name)
    assert threading.active_count() == 1, "only a process without threads may be copied"
    # Nobody asks how they ended.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for _ in sys.stdin:
        number = os.fork()
        if number == 0:
            try:
                _become(arguments)
            finally:
                os._exit(0)
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _serve(sys.argv[1:])
