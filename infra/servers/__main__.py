"""Lets `python -m infra.servers` run the command."""

from infra.servers.cli import main

main()
