import django.db.models.functions.comparison
from django.db import migrations, models

# The ledger's sums line by line, so that no statement adds up a month; what an erased tenant left is not its
# successor's; and the end of a run of which days were charged is looked at whether it is billed or not.
FORWARD = """
CREATE OR REPLACE FUNCTION sumok8_add_to_ledger() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM fresh JOIN billing_periods USING (period)) THEN
    RAISE EXCEPTION 'that month is closed' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  INSERT INTO ledger_totals AS t (tenant_name, is_erased, period, amount, cpu_seconds)
  SELECT tenant_name, tenant_id IS NULL AS erased, period, coalesce(sum(amount), 0),
    coalesce(sum(quantity) FILTER (WHERE item = 'cpu_hour'), 0)
  FROM fresh GROUP BY tenant_name, erased, period ORDER BY tenant_name, erased, period
  ON CONFLICT (tenant_name, period, is_erased) DO UPDATE
  SET amount = t.amount + excluded.amount, cpu_seconds = t.cpu_seconds + excluded.cpu_seconds;
  INSERT INTO ledger_lines AS t (tenant_name, is_erased, period, item, price, entries, quantity, amount)
  SELECT tenant_name, tenant_id IS NULL AS erased, period, item, price, count(*), sum(quantity), sum(amount)
  FROM fresh GROUP BY tenant_name, erased, period, item, price
  ORDER BY tenant_name, erased, period, item, price
  ON CONFLICT (period, tenant_name, is_erased, item, (coalesce(price, -1))) DO UPDATE
  SET entries = t.entries + excluded.entries, quantity = t.quantity + excluded.quantity,
    amount = coalesce(t.amount + excluded.amount, t.amount, excluded.amount);
  RETURN NULL;
END $$;

CREATE FUNCTION sumok8_keep_sums_of_erased() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  WITH gone AS (DELETE FROM ledger_totals WHERE tenant_name = OLD.tenant_id AND NOT is_erased RETURNING *)
  INSERT INTO ledger_totals AS t (tenant_name, is_erased, period, amount, cpu_seconds)
  SELECT tenant_name, true, period, amount, cpu_seconds FROM gone
  ON CONFLICT (tenant_name, period, is_erased) DO UPDATE
  SET amount = t.amount + excluded.amount, cpu_seconds = t.cpu_seconds + excluded.cpu_seconds;
  WITH gone AS (DELETE FROM ledger_lines WHERE tenant_name = OLD.tenant_id AND NOT is_erased RETURNING *)
  INSERT INTO ledger_lines AS t (tenant_name, is_erased, period, item, price, entries, quantity, amount)
  SELECT tenant_name, true, period, item, price, entries, quantity, amount FROM gone
  ON CONFLICT (period, tenant_name, is_erased, item, (coalesce(price, -1))) DO UPDATE
  SET entries = t.entries + excluded.entries, quantity = t.quantity + excluded.quantity,
    amount = coalesce(t.amount + excluded.amount, t.amount, excluded.amount);
  RETURN NULL;
END $$;
CREATE TRIGGER tenants_leave_their_sums AFTER DELETE ON tenants
  FOR EACH ROW EXECUTE FUNCTION sumok8_keep_sums_of_erased();

CREATE OR REPLACE FUNCTION sumok8_note_unposted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.billable OR EXISTS (SELECT FROM part_posted_runs WHERE run_id = NEW.id) THEN
    INSERT INTO unposted_runs (run_id) VALUES (NEW.id) ON CONFLICT DO NOTHING;
  END IF;
  RETURN NULL;
END $$;
DROP TRIGGER pod_runs_that_end_are_to_be_posted ON pod_runs;
CREATE TRIGGER pod_runs_that_end_are_to_be_posted AFTER UPDATE ON pod_runs
  FOR EACH ROW WHEN (NEW.ending <> '' AND OLD.ending = '') EXECUTE FUNCTION sumok8_note_unposted();

DELETE FROM ledger_totals;
INSERT INTO ledger_totals (tenant_name, is_erased, period, amount, cpu_seconds)
SELECT tenant_name, tenant_id IS NULL, period, coalesce(sum(amount), 0),
  coalesce(sum(quantity) FILTER (WHERE item = 'cpu_hour'), 0)
FROM ledger_entries GROUP BY 1, 2, 3;
INSERT INTO ledger_lines (tenant_name, is_erased, period, item, price, entries, quantity, amount)
SELECT tenant_name, tenant_id IS NULL, period, item, price, count(*), sum(quantity), sum(amount)
FROM ledger_entries GROUP BY 1, 2, 3, 4, 5;
UPDATE billing_periods SET is_stated = true;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('tenants', '0010_traded_keys_index'),
        ('usage', '0002_ledger'),
    ]

    operations = [
        migrations.CreateModel(
            name='LedgerLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('tenant_name', models.CharField(max_length=40)),
                ('is_erased', models.BooleanField(default=False, help_text='Of tenants of the name that are no more.')),
                ('period', models.CharField(max_length=7)),
                ('item', models.CharField(max_length=16)),
                ('price', models.DecimalField(decimal_places=6, max_digits=12, null=True)),
                ('entries', models.BigIntegerField()),
                ('quantity', models.DecimalField(decimal_places=0, max_digits=36)),
                ('amount', models.DecimalField(decimal_places=6, max_digits=24, null=True)),
            ],
            options={
                'db_table': 'ledger_lines',
            },
        ),
        migrations.CreateModel(
            name='PartPostedRun',
            fields=[
                ('run_id', models.BigIntegerField(primary_key=True, serialize=False)),
                ('job_id', models.UUIDField()),
                ('since', models.DateTimeField()),
                ('until', models.DateTimeField()),
            ],
            options={
                'db_table': 'part_posted_runs',
            },
        ),
        migrations.RemoveConstraint(
            model_name='ledgertotal',
            name='ledger_totals_unique',
        ),
        migrations.RemoveConstraint(
            model_name='statement',
            name='statements_unique',
        ),
        migrations.AddField(
            model_name='billingperiod',
            name='is_stated',
            field=models.BooleanField(default=False, help_text='All of its statements are written.'),
        ),
        migrations.AddField(
            model_name='ledgertotal',
            name='is_erased',
            field=models.BooleanField(default=False, help_text='Of tenants of the name that are no more.'),
        ),
        migrations.AddIndex(
            model_name='ledgertotal',
            index=models.Index(fields=['period', 'tenant_name'], name='ledger_totals_period'),
        ),
        migrations.AddIndex(
            model_name='statement',
            index=models.Index(fields=['period', 'tenant_name'], name='statements_period_tenant'),
        ),
        migrations.AddConstraint(
            model_name='ledgertotal',
            constraint=models.UniqueConstraint(fields=('tenant_name', 'period', 'is_erased'), name='ledger_totals_unique'),
        ),
        migrations.AddConstraint(
            model_name='statement',
            constraint=models.UniqueConstraint(fields=('tenant', 'period'), name='statements_once'),
        ),
        migrations.AddConstraint(
            model_name='ledgerline',
            constraint=models.UniqueConstraint(models.F('period'), models.F('tenant_name'), models.F('is_erased'), models.F('item'), django.db.models.functions.comparison.Coalesce('price', -1), name='ledger_lines_unique'),
        ),
        migrations.RunSQL(FORWARD),  # there is no way back: whose sums were whose is not told apart any more
    ]
