"""`python -m simulations.sumo`: see `simulations.sumo.run.runner`."""

import sys

from simulations.sumo.run.runner import main

if __name__ == "__main__":
    sys.exit(main())
