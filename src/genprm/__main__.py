"""`python -m genprm`."""

from genprm.cli.main import main

main()
