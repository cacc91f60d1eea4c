from django.db import migrations

# Who waits for a job is told as its status changes; see `simulations.api.job_waiters`.
FORWARD = """
CREATE FUNCTION sumok8_tell_job_status() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('sumok8_job_status', NEW.job_id::text);
  RETURN NULL;
END $$;
CREATE TRIGGER jobs_tell_status AFTER UPDATE OF status ON jobs
  FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION sumok8_tell_job_status();
"""
BACKWARD = """
DROP TRIGGER jobs_tell_status ON jobs;
DROP FUNCTION sumok8_tell_job_status();
"""


class Migration(migrations.Migration):
    dependencies = [("simulations", "0024_job_permissions")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
