"""Asks this container's process how it is: `python -m infra.healthcheck readyz`.

Exit code 0 if it is well, 1 if it is not or does not answer.
"""

import os
import sys
from http.client import HTTPConnection, HTTPException

_TIMEOUT_S = 4


def well(address: str, check: str) -> bool:
    """Return whether the process that tells on HOST:PORT passes *check*.

    Args:
        check: `livez` or `readyz`.
    """
    connection = HTTPConnection(address, timeout=_TIMEOUT_S)  # never by a proxy
    try:
        connection.request("GET", f"/{check}")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(0 if well(os.environ["PRATIQUE_HEALTH"], sys.argv[1]) else 1)
