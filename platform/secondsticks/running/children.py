"""What every child process of ours is given: to die with its parent."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable

PR_SET_PDEATHSIG = 1


def dies_with_parent(signum: signal.Signals) -> Callable[[], None]:
    """Return a preexec_fn: the kernel sends `signum` to the child when the thread that started it ends.

    Nothing where there is no such call (macOS): there the next start clears up what a killed parent left.
    """
    parent = os.getpid()
    prctl = ctypes.CDLL(None, use_errno=True).prctl if sys.platform == "linux" else None

    def ask_the_kernel() -> None:
        if prctl is not None:
            prctl(PR_SET_PDEATHSIG, signum, 0, 0, 0)
            if os.getppid() != parent:  # it died before we asked
                os._exit(1)

    return ask_the_kernel
