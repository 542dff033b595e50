"""Serve the upload function on a provisioned folder: python -m … FOLDER."""

import sys
from pathlib import Path

from tests.functions.upload.conftest import open_ports
from tests.functions.upload.house import House


def main(folder: Path) -> None:
    """Print the port, then serve until standard input ends."""
    house = House(folder, *open_ports(folder))
    print(house.serve(), flush=True)
    sys.stdin.read()
    house.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
