from django.db import migrations

# A tenant's line as `simulations.waiting` tells it, for those of its `wanted` jobs that wait. The order is the
# dispatcher's (`waiting.ORDER`), and places are told as far as `waiting.COUNTED`. Each part follows a partial index of
# the jobs table, `jobs_line` or `jobs_started`. A function, since PostgreSQL keeps the plan of what stands in one, also
# where it is asked within a statement whose own plan depends on its values.
FORWARD = """
CREATE FUNCTION sumok8_line(tenant text, wanted uuid[]) RETURNS json LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (
    SELECT json_build_object('slots', used.slots, 'cpu', used.cpu, 'memory_gi', used.memory_gi, 'head', (
      SELECT json_build_array(j.cpu_request, j.memory_gi, j.message)
      FROM jobs j, tenants t WHERE t.tenant_id = tenant
        AND j.tenant_id = tenant AND j.status = 'PENDING' AND j.dispatched_at IS NULL
        AND j.cpu_request <= t.max_cpu AND j.memory_gi <= t.max_memory_gi
      ORDER BY j.priority_class DESC, j.priority DESC, j.submitted_at, j.job_id LIMIT 1
    ), 'places', (
      SELECT json_object_agg(line.job_id, line.place) FROM (
        SELECT j.job_id, row_number() OVER (
          ORDER BY j.priority_class DESC, j.priority DESC, j.submitted_at, j.job_id
        ) AS place
        FROM jobs j WHERE j.tenant_id = tenant AND j.status = 'PENDING' AND j.dispatched_at IS NULL
        ORDER BY j.priority_class DESC, j.priority DESC, j.submitted_at, j.job_id LIMIT 1000
      ) line WHERE line.job_id = ANY(wanted)
    ))
    FROM (
      SELECT count(*) AS slots, coalesce(sum(j.cpu_request), 0) AS cpu, coalesce(sum(j.memory_gi), 0) AS memory_gi
      FROM jobs j WHERE j.tenant_id = tenant
        AND (j.status = 'RUNNING' OR (j.status = 'PENDING' AND j.dispatched_at IS NOT NULL))
    ) used
  );
END $$;
"""
BACKWARD = "DROP FUNCTION sumok8_line(text, uuid[]);"


class Migration(migrations.Migration):
    dependencies = [("simulations", "0033_jobs_reason")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
