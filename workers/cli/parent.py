"""No orphans: what `onfile up` starts ends with it, however it ends."""

import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Callable

PR_SET_PDEATHSIG = 1  # linux/prctl.h

WATCH_SECONDS = 0.5

KERNEL_TELLS = sys.platform == "linux"
"""Whether a process can ask the kernel to be ended when its parent is."""


def bind_to_parent() -> Callable[[], None] | None:
    """Return what a child must run before it becomes its program (`preexec_fn`).

    None where the kernel cannot tell; there a child of ours watches its parent itself, and the
    store keeps the data folder locked. Where it can, a child is bound to the *thread* that starts
    it: start it from the main one. It ends by SIGKILL, which loses nothing and waits for nothing.
    """
    if not KERNEL_TELLS:
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    parent = os.getpid()

    def bind() -> None:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it ended before we asked
            os._exit(1)

    return bind


def watch(parent: int) -> None:
    """End this process as SIGTERM would, soon after its parent has gone."""

    def compare() -> None:
        while os.getppid() == parent:
            time.sleep(WATCH_SECONDS)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=compare, name="watch-parent", daemon=True).start()
