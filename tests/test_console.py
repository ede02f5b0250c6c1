"""Progress bars, in a terminal and in a log file."""

import io
import os
import re
import struct
import sys
import time

import pytest

from latent_arithmetic.console import LOG_SECONDS, progress_bar


def states(text: str) -> list[str]:
    """Every state of a bar that was shown."""
    return [line for line in re.split(r"[\r\n]", text) if "%|" in line]


@pytest.mark.skipif(os.name != "posix", reason="other systems have no such terminals")
def test_a_bar_is_no_wider_than_its_terminal(monkeypatch):
    import fcntl
    import termios

    reader, terminal = os.openpty()
    size = struct.pack("HHHH", 20, 60, 0, 0)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, size)
    with os.fdopen(terminal, "w") as stream, monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", stream)
        with progress_bar(10, "convolutional autoencoder 3/4") as bar:
            bar.set_postfix(loss="0.1234")
        shown = states(os.read(reader, 10_000).decode())
    os.close(reader)
    assert shown and max(map(len, shown)) <= 60


def test_a_bar_in_a_log_file_is_a_line_now_and_then(monkeypatch):
    stream, now = io.StringIO(), [time.time()]
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr("tqdm.std.time", lambda: now[0])
    seconds = 600
    with progress_bar(seconds, "training") as bar:
        for _ in range(seconds):
            now[0] += 1
            bar.update()
    assert 3 < len(states(stream.getvalue())) <= seconds / LOG_SECONDS + 5
