from django.apps import AppConfig


class SumoK8Config(AppConfig):
    name = "sumok8"
    verbose_name = "SUMO-K8"

    def ready(self) -> None:
        from sumok8 import checks, schema  # noqa: F401 - Django and drf-spectacular find them by their import
