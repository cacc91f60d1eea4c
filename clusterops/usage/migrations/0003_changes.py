from django.db import migrations

WATCH = """
CREATE TRIGGER budgets_changes AFTER INSERT OR UPDATE OR DELETE ON budgets
  FOR EACH ROW EXECUTE FUNCTION sumok8_record_change('budget', 'period', '{id}')
"""


class Migration(migrations.Migration):
    dependencies = [("usage", "0002_ledger"), ("tenants", "0011_changes")]
    operations = [migrations.RunSQL(WATCH, "DROP TRIGGER budgets_changes ON budgets")]
