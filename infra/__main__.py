"""`python -m infra` is the `pratique` command."""

from infra.cli import main

main()
