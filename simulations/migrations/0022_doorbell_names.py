from django.db import migrations

# The bell says what it rang for: a submission wakes the dispatcher alone, all else a whole pass.
NAMED = """
CREATE OR REPLACE FUNCTION sumok8_ring_doorbell() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('sumok8_doorbell', TG_TABLE_NAME || '.' || lower(TG_OP));
  RETURN NULL;
END $$;
"""
UNNAMED = NAMED.replace("TG_TABLE_NAME || '.' || lower(TG_OP)", "TG_TABLE_NAME")


class Migration(migrations.Migration):
    dependencies = [("simulations", "0021_job_counts"), ("tenants", "0002_doorbell")]
    operations = [migrations.RunSQL(NAMED, UNNAMED)]
