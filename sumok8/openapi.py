"""How the REST API describes itself: settings of drf-spectacular, for `/schema` and `/docs`."""

from typing import Any

SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "SUMO-K8",
    "DESCRIPTION": "Run SUMO traffic simulations on a shared Kubernetes cluster.",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PUBLIC": True,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "StatusEnum": "simulations.models.job.Job.Status",
        "ReasonEnum": "simulations.models.job.Job.Reason",
        "StudyStatusEnum": "simulations.studies.models.Study.Status",
        "StudyReasonEnum": "simulations.studies.models.Study.Reason",
        "StudyRunStatusEnum": "simulations.studies.models.StudyRun.Status",
        "KpiEnum": "simulations.studies.kpis.CHOICES",
        "PriorityClassEnum": "tenants.priority.PriorityClass",
        "LimitSourceEnum": "simulations.api.tenant.SOURCES",
        "LogSourceEnum": "clusterops.api.logs.SOURCES",
    },
    "TAGS": [  # in the order of use
        {"name": "scenarios", "description": "Upload what SUMO is to run; everything wrong with it is told at once."},
        {"name": "jobs", "description": "Submit, watch, cancel, run again."},
        {"name": "results", "description": "Figures, files and traffic per edge of a job that ended."},
        {"name": "studies", "description": "Many runs from one request, with statistics."},
        {"name": "tenant", "description": "Your limits, and what you use of them now."},
        {"name": "usage", "description": "What ran, and what of it is billed."},
        {"name": "webhooks", "description": "To be told rather than to ask."},
        {"name": "token", "description": "A key for a token of an identity provider that your tenant trusts."},
        {"name": "admin", "description": "For operators: the cluster, all jobs, what needs attention."},
    ],
    "PREPROCESSING_HOOKS": ["sumok8.schema.without_internal_paths"],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "sumok8.schema.document_errors",
    ],
}
