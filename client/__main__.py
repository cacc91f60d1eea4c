"""`python -m sumok8_client`, where the script `sumok8` is not on the PATH."""

from .commands.main import main

main()
