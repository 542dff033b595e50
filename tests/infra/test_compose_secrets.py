"""The .env that a machine makes from .env.example."""

import subprocess
import sys
from io import StringIO

from dotenv import dotenv_values

from infra.secrets import filled
from tests.compositions import EXAMPLE, ROOT, names


def test_the_command_prints_a_secret_for_each_name_with_nothing_installed() -> None:
    command = [sys.executable, "-S", "-m", "infra.secrets"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)

    lines = [line for line in done.stdout.splitlines() if line[:1].isupper()]
    assert {line.partition("=")[0] for line in lines} == names(EXAMPLE)
    assert all(len(line.partition("=")[2]) == 32 for line in lines)


def test_no_two_secrets_are_the_same() -> None:
    both = [line for _ in range(2) for line in filled(EXAMPLE).splitlines()]

    secrets = [line.partition("=")[2] for line in both if line[:1].isupper()]
    assert len(set(secrets)) == 2 * len(names(EXAMPLE))


def test_secrets_may_stand_in_a_url() -> None:
    secrets = [
        line.partition("=")[2]
        for line in filled(EXAMPLE).splitlines()
        if line[:1].isupper()
    ]

    assert all(secret.isalnum() and 8 <= len(secret) <= 40 for secret in secrets)


def test_what_was_filled_in_already_is_kept() -> None:
    assert filled("A=1\n#B=\nC=1 2\n") == "A=1\n#B=\nC=1 2\n"


def test_what_it_prints_is_read_as_it_is_meant() -> None:
    read = dotenv_values(stream=StringIO(filled(EXAMPLE)))

    assert set(read) == names(EXAMPLE)
