"""The web's listening socket."""

import errno
import socket

BACKLOG = 1024
"""Connections that may wait while a web process is started again."""


class PortTakenError(Exception):
    """Nothing can listen there; the message is a sentence that says why."""


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket, taken before anything else is started.

    It may be handed to one web process after another: what arrives in between waits in it. Raises
    `PortTakenError`.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise PortTakenError(_sentence(host, port, error)) from error
    listener.set_inheritable(True)
    return listener


def _sentence(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} is taken by another program."
    if error.errno == errno.EACCES:
        return f"This user may not listen on port {port}."
    return f"Nothing can listen on {host}, port {port} ({error.strerror or error})."
