"""What changes several rows at once: submitting, uploading, delivering results."""

from simulations.services.artifacts import AnnouncedFile, deliver, expect_delivery
from simulations.services.scenarios import add_scenario, delete_scenario
from simulations.services.submission import check_job, submit_job

__all__ = ["AnnouncedFile", "add_scenario", "check_job", "delete_scenario", "deliver", "expect_delivery", "submit_job"]
