"""`python -m services.console` is the `throughcare` command."""

from services.console.main import main

main()
