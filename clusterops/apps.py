from django.apps import AppConfig


class ClusteropsConfig(AppConfig):
    name = "clusterops"
    verbose_name = "Cluster operations"
