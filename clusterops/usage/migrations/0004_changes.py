from django.db import migrations

WATCH = """
CREATE TRIGGER budgets_changes AFTER INSERT OR UPDATE OR DELETE ON budgets
  FOR EACH ROW EXECUTE FUNCTION sumok8_record_change('budget', 'period', '{id}')
"""


class Migration(migrations.Migration):
    dependencies = [("usage", "0003_days_and_lines"), ("tenants", "0012_changes")]
    operations = [migrations.RunSQL(WATCH, "DROP TRIGGER budgets_changes ON budgets")]
