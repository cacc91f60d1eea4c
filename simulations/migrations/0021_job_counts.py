import django.db.models.deletion
from django.db import migrations, models

# The counts change with the jobs, in the same transaction: admission, totals and the dispatcher never count rows.
# Statement triggers with transition tables: one UPDATE per statement and tenant, in the tenants' order, so that two
# statements over many tenants do not wait for each other in a circle. What changes no count touches no row.
COUNTED = """
  SELECT tenant_id, {sign}(status = 'PENDING' AND dispatched_at IS NULL)::int AS queued,
    {sign}(status = 'PENDING')::int AS pending, {sign}(status = 'RUNNING')::int AS running FROM {rows}
"""
COUNT = """
CREATE FUNCTION sumok8_count_jobs_{name}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO job_counts AS c (tenant_id, queued, pending, running)
  SELECT tenant_id, sum(queued), sum(pending), sum(running) FROM ({counted}) counted
  GROUP BY tenant_id HAVING sum(queued) <> 0 OR sum(pending) <> 0 OR sum(running) <> 0 ORDER BY tenant_id
  ON CONFLICT (tenant_id) DO UPDATE SET
    queued = c.queued + EXCLUDED.queued, pending = c.pending + EXCLUDED.pending, running = c.running + EXCLUDED.running;
  RETURN NULL;
END $$;
CREATE TRIGGER jobs_count_{name} AFTER {name} ON jobs REFERENCING {tables}
  FOR EACH STATEMENT EXECUTE FUNCTION sumok8_count_jobs_{name}();
"""
NEW = COUNTED.format(sign="+", rows="new_rows")
OLD = COUNTED.format(sign="-", rows="old_rows")
TRIGGERS = (
    COUNT.format(name="insert", counted=NEW, tables="NEW TABLE AS new_rows")
    + COUNT.format(name="update", counted=f"{NEW} UNION ALL {OLD}", tables="OLD TABLE AS old_rows NEW TABLE AS new_rows")
    + COUNT.format(name="delete", counted=OLD, tables="OLD TABLE AS old_rows")
)
NO_TRIGGERS = "".join(
    f"DROP TRIGGER jobs_count_{name} ON jobs; DROP FUNCTION sumok8_count_jobs_{name}();"
    for name in ("insert", "update", "delete")
)
# The lock keeps writers out between the count and the triggers.
FIRST_COUNT = """
LOCK TABLE jobs IN SHARE ROW EXCLUSIVE MODE;
INSERT INTO job_counts (tenant_id, queued, pending, running)
SELECT tenant_id, count(*) FILTER (WHERE status = 'PENDING' AND dispatched_at IS NULL),
  count(*) FILTER (WHERE status = 'PENDING'), count(*) FILTER (WHERE status = 'RUNNING')
FROM jobs WHERE status IN ('PENDING', 'RUNNING') GROUP BY tenant_id;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("simulations", "0020_notices"),
        ("tenants", "0004_rate_limits"),
    ]

    operations = [
        migrations.CreateModel(
            name="JobCount",
            fields=[
                (
                    "tenant",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="job_count",
                        serialize=False,
                        to="tenants.tenant",
                    ),
                ),
                ("queued", models.IntegerField(default=0, help_text="PENDING, and not given to the cluster.")),
                ("pending", models.IntegerField(default=0, help_text="All that are PENDING.")),
                ("running", models.IntegerField(default=0)),
            ],
            options={"db_table": "job_counts"},
        ),
        migrations.RunSQL(FIRST_COUNT, migrations.RunSQL.noop),
        migrations.RunSQL(TRIGGERS, NO_TRIGGERS),
        migrations.AddIndex(
            model_name="job",
            index=models.Index(
                fields=["submitted_at", "job_id"],
                name="jobs_in_hand",
                condition=models.Q(
                    ("status__in", ["PENDING", "RUNNING"]),
                    models.Q(
                        ("status", "RUNNING"),
                        ("dispatching_at__isnull", False),
                        ("dispatched_at__isnull", False),
                        _connector="OR",
                    ),
                ),
            ),
        ),
    ]
