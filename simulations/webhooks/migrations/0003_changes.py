from django.db import migrations

WATCH = """
CREATE TRIGGER webhook_endpoints_changes AFTER INSERT OR UPDATE OR DELETE ON webhook_endpoints
  FOR EACH ROW EXECUTE FUNCTION sumok8_record_change('webhook', 'url', '{endpoint_id,created_at,served_at,failing_since,rotated_at}')
"""


class Migration(migrations.Migration):
    dependencies = [("webhooks", "0002_mailboxes"), ("tenants", "0012_changes")]
    operations = [migrations.RunSQL(WATCH, "DROP TRIGGER webhook_endpoints_changes ON webhook_endpoints")]
