"""`python -m devenv`."""

from devenv.cli.main import main

main()
