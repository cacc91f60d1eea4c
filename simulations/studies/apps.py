from django.apps import AppConfig


class StudiesConfig(AppConfig):
    name = "simulations.studies"
