"""The tenant API of SUMO-K8 from Python: `Client(url, key).run("centre", seed=1).wait().kpis`."""

from .api import Client
from .checking import check
from .connection import connect
from .errors import ApiProblem
from .frames import edges_frame, runs_frame, trips_frame
from .jobs import Job
from .scenarios import Scenario
from .studies import Study
from .webhooks import Webhook

__version__ = "0.1.0"
__all__ = [
    "ApiProblem",
    "Client",
    "Job",
    "Scenario",
    "Study",
    "Webhook",
    "__version__",
    "check",
    "connect",
    "edges_frame",
    "runs_frame",
    "trips_frame",
]
