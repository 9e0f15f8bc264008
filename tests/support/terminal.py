"""What a program under test gets from a terminal."""

import signal


def hear_ctrl_c() -> None:
    """Undo what a shell does to background jobs, whose children all ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
