"""Staff's pages: Django finds them by this import."""

from simulations.admin import jobs, scenarios

__all__ = ["jobs", "scenarios"]
