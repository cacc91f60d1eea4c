from django.db import migrations

# Wakes the reconciler when a tenant changes; delivered when the transaction commits, at no extra statement.
FORWARD = """
CREATE FUNCTION sumok8_ring_doorbell() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('sumok8_doorbell', TG_TABLE_NAME);
  RETURN NULL;
END $$;
CREATE TRIGGER tenants_ring_doorbell AFTER INSERT OR UPDATE OR DELETE ON tenants
  FOR EACH STATEMENT EXECUTE FUNCTION sumok8_ring_doorbell();
"""
BACKWARD = """
DROP TRIGGER tenants_ring_doorbell ON tenants;
DROP FUNCTION sumok8_ring_doorbell();
"""


class Migration(migrations.Migration):
    dependencies = [("tenants", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
