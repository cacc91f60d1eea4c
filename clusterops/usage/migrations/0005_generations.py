import django.db.models.functions.comparison
from django.db import migrations, models

# Tenants of one name are told apart by when each was made: what an erased one left is marked with that as the link to
# it goes, so that each has statements of its own.
FUNCTIONS = """
CREATE FUNCTION sumok8_generation(made timestamptz) RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT (extract(epoch FROM made) * 1000000)::bigint
$$;

CREATE OR REPLACE FUNCTION sumok8_keep_evidence() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND (OLD.ending = '' OR (NEW.tenant_id IS NULL AND to_jsonb(NEW) - 'tenant_id' = to_jsonb(OLD) - 'tenant_id'))
  THEN
    IF NEW.tenant_id IS NULL AND OLD.tenant_id IS NOT NULL THEN
      NEW.generation := coalesce((SELECT sumok8_generation(created_at) FROM tenants WHERE tenant_id = OLD.tenant_id), 1);
    END IF;
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'rows of % are evidence: they are neither changed nor deleted', TG_TABLE_NAME
    USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE OR REPLACE FUNCTION sumok8_keep_ledger() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND NEW.tenant_id IS NULL AND to_jsonb(NEW) - 'tenant_id' = to_jsonb(OLD) - 'tenant_id' THEN
    IF OLD.tenant_id IS NOT NULL THEN
      NEW.generation := coalesce((SELECT sumok8_generation(created_at) FROM tenants WHERE tenant_id = OLD.tenant_id), 1);
    END IF;
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'rows of % are neither changed nor deleted', TG_TABLE_NAME
    USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE OR REPLACE FUNCTION sumok8_add_to_ledger() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM fresh JOIN billing_periods USING (period)) THEN
    RAISE EXCEPTION 'that month is closed' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  INSERT INTO ledger_totals AS t (tenant_name, generation, period, amount, cpu_seconds)
  SELECT tenant_name, generation, period, coalesce(sum(amount), 0),
    coalesce(sum(quantity) FILTER (WHERE item = 'cpu_hour'), 0)
  FROM fresh GROUP BY tenant_name, generation, period ORDER BY tenant_name, generation, period
  ON CONFLICT (tenant_name, period, generation) DO UPDATE
  SET amount = t.amount + excluded.amount, cpu_seconds = t.cpu_seconds + excluded.cpu_seconds;
  INSERT INTO ledger_lines AS t (tenant_name, generation, period, item, price, entries, quantity, amount)
  SELECT tenant_name, generation, period, item, price, count(*), sum(quantity), sum(amount)
  FROM fresh GROUP BY tenant_name, generation, period, item, price
  ORDER BY tenant_name, generation, period, item, price
  ON CONFLICT (period, tenant_name, generation, item, (coalesce(price, -1))) DO UPDATE
  SET entries = t.entries + excluded.entries, quantity = t.quantity + excluded.quantity,
    amount = coalesce(t.amount + excluded.amount, t.amount, excluded.amount);
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION sumok8_keep_sums_of_erased() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE ledger_totals SET generation = sumok8_generation(OLD.created_at)
  WHERE tenant_name = OLD.tenant_id AND generation = 0;
  UPDATE ledger_lines SET generation = sumok8_generation(OLD.created_at)
  WHERE tenant_name = OLD.tenant_id AND generation = 0;
  RETURN NULL;
END $$;
"""

# Whose was whose among those erased by now is not known any more: they stay together, as generation 1.
MARK = """
CREATE OR REPLACE FUNCTION sumok8_keep_ledger() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE OR REPLACE FUNCTION sumok8_keep_evidence() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
UPDATE pod_runs SET generation = 1 WHERE tenant_id IS NULL;
UPDATE ledger_entries SET generation = 1 WHERE tenant_id IS NULL;
UPDATE statements SET generation = 1 WHERE tenant_id IS NULL;
UPDATE ledger_totals SET generation = 1 WHERE is_erased;
UPDATE ledger_lines SET generation = 1 WHERE is_erased;
"""
MODELS = ("podrun", "ledgerentry", "statement", "ledgertotal", "ledgerline")
HELP = "Of an erased tenant: when it was made, in microseconds since 1970. 0: of the one that has the name."


class Migration(migrations.Migration):

    dependencies = [
        ('tenants', '0012_changes'),
        ('usage', '0004_changes'),
    ]

    operations = [
        *(
            migrations.AddField(
                model_name=name,
                name='generation',
                field=models.BigIntegerField(db_default=0, default=0, help_text=HELP),
            )
            for name in MODELS
        ),
        migrations.RunSQL(MARK),
        migrations.RemoveConstraint(model_name='ledgertotal', name='ledger_totals_unique'),
        migrations.RemoveConstraint(model_name='ledgerline', name='ledger_lines_unique'),
        migrations.RemoveConstraint(model_name='ledgerentry', name='ledger_once'),
        migrations.RemoveField(model_name='ledgertotal', name='is_erased'),
        migrations.RemoveField(model_name='ledgerline', name='is_erased'),
        migrations.AddConstraint(
            model_name='ledgertotal',
            constraint=models.UniqueConstraint(fields=('tenant_name', 'period', 'generation'), name='ledger_totals_unique'),
        ),
        migrations.AddConstraint(
            model_name='ledgerline',
            constraint=models.UniqueConstraint(models.F('period'), models.F('tenant_name'), models.F('generation'), models.F('item'), django.db.models.functions.comparison.Coalesce('price', -1), name='ledger_lines_unique'),
        ),
        migrations.AddConstraint(
            model_name='ledgerentry',
            constraint=models.UniqueConstraint(fields=('tenant_name', 'source', 'item', 'generation'), name='ledger_once'),
        ),
        migrations.RunSQL(FUNCTIONS),  # there is no way back, as in 0003
    ]
