"""`python -m simulations.sumo`: see `simulations.sumo.runner`."""

import sys

from simulations.sumo.runner import main

if __name__ == "__main__":
    sys.exit(main())
