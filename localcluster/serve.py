"""`python -m localcluster.serve CONFIG.json`: a whole configuration from a file; until SIGTERM or SIGINT."""

import logging
import sys
from pathlib import Path

from localcluster.cluster import LocalCluster
from localcluster.config import LocalClusterConfig

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    LocalCluster(LocalClusterConfig.from_json(Path(sys.argv[1]).read_text())).run()
