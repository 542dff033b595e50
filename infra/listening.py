"""Where the HTTP function listens."""

import socket

from schemas.errors import SettingsError


def listen(
    host: str, port: int, named: str = "PRATIQUE_HOST, PRATIQUE_PORT"
) -> socket.socket:
    """Return a socket that listens on *host* and *port*; 0 takes a free port.

    Args:
        named: the settings that an error names.

    Raises:
        SettingsError: the address is taken or not this machine's.
    """
    try:
        return _listening(host, port)
    except (
        OSError,
        UnicodeError,
        OverflowError,
    ) as exc:  # a name with an empty label is the latter
        raise SettingsError(f"{named}: {host}:{port}: {exc}") from exc


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio switches Nagle off only where the protocol is named: 40 ms an answer.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(128)
    except BaseException:
        listening.close()
        raise
    return listening
