from django.db import migrations

# A submission or a wish to cancel wakes the reconciler as its transaction commits.
FORWARD = """
CREATE TRIGGER jobs_ring_doorbell_on_submit AFTER INSERT ON jobs
  FOR EACH STATEMENT EXECUTE FUNCTION sumok8_ring_doorbell();
CREATE TRIGGER jobs_ring_doorbell_on_cancel AFTER UPDATE OF cancel_requested_at ON jobs
  FOR EACH STATEMENT EXECUTE FUNCTION sumok8_ring_doorbell();
"""
BACKWARD = """
DROP TRIGGER jobs_ring_doorbell_on_submit ON jobs;
DROP TRIGGER jobs_ring_doorbell_on_cancel ON jobs;
"""


class Migration(migrations.Migration):
    dependencies = [("simulations", "0001_initial"), ("tenants", "0002_doorbell")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
