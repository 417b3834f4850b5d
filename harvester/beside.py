"""Work that goes on in a thread of its own, beside the rest of the process."""

from __future__ import annotations

import threading


class Beside:
    """A service made of one thread: `work` is called once, and returns soon after `ending` is set."""

    # Seconds that `stop` waits for the thread; None: as long as it takes.
    patience: float | None = None

    def __init__(self, name: str) -> None:
        self.ending = threading.Event()
        self._thread = threading.Thread(target=self.work, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Ask the thread to end, and wait for it."""
        self.ending.set()
        if self._thread.is_alive():
            self._thread.join(self.patience)

    def work(self) -> None:
        """What the thread does."""
        raise NotImplementedError
