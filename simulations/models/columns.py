"""Which columns of a job are loaded for what. One that is read and not named here costs a query for each job: a test
fails then (`tests/conftest.py`)."""

FOR_MOVE = ("status", "reason", "message", "attempt", "started_at")  # what `Job.move_to` reads
FOR_DECISION = (  # what a pass of the reconciler decides by
    *("job_id", "tenant_id", "cluster_id", "k8s_job_name", "k8s_namespace", *FOR_MOVE, "disruptions"),
    *("submitted_at", "dispatched_at", "finished_at", "observed_at", "cancel_requested_at"),
    *("cpu_request", "memory_gi", "priority_class", "priority", "pod_name", "node_name", "exit_code"),
)
FOR_LOG = ("job_id", "k8s_namespace", "pod_name", "node_name")  # whose log is read
FOR_LIST = (  # a row of the staff's lists
    *("job_id", "tenant_id", "cluster_id", *FOR_MOVE, "cpu_request", "memory_gi", "node_name", "progress"),
    *("submitted_at", "dispatched_at", "finished_at", "cancel_requested_at", "scenario_data"),
)
FOR_ESTIMATE = (  # of how long a running one takes yet
    *("job_id", "cpu_request", "memory_gi", "progress", "scenario_data", "started_at", "dispatched_at"),
)
FOR_COMPARISON = ("job_id", "tenant_id", "scenario_data", "status", "reason", "results", "submitted_at", "labels")
