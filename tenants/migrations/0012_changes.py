from django.db import migrations, models

# Written by the database itself, so that no way past our code is missed: bulk updates, cascades, a hand's SQL. Digests
# of keys are left out, and the notes of invitations, which are the owners' alone; addresses of webhooks told by their host (some carry a secret). Columns that the service writes
# for itself, such as when a key was last used, are no changes.
FORWARD = """
CREATE FUNCTION sumok8_public_row(row_of jsonb, hidden text[]) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE shown jsonb := row_of - hidden;
BEGIN
  IF shown ? 'plan_id' THEN
    shown := shown - 'plan_id' || jsonb_build_object(
      'plan', (SELECT name FROM plans WHERE id = (row_of->>'plan_id')::bigint));
  END IF;
  IF shown ? 'user_id' THEN
    shown := shown - 'user_id' || jsonb_build_object(
      'user', coalesce((SELECT username FROM auth_user WHERE id = (row_of->>'user_id')::int), row_of->>'user_id'));
  END IF;
  RETURN shown;
END $$;

CREATE FUNCTION sumok8_record_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  hidden text[] := TG_ARGV[2]::text[];
  before jsonb := CASE WHEN TG_OP <> 'INSERT' THEN sumok8_public_row(to_jsonb(OLD), hidden) ELSE '{}' END;
  after jsonb := CASE WHEN TG_OP <> 'DELETE' THEN sumok8_public_row(to_jsonb(NEW), hidden) ELSE '{}' END;
  whole jsonb := before || after;
  acting text := nullif(current_setting('sumok8.by', true), '');
  told jsonb;
BEGIN
  SELECT jsonb_object_agg(name, jsonb_build_array(before->name, after->name)) INTO told
  FROM jsonb_object_keys(whole) AS name
  WHERE coalesce(before->name, 'null') IS DISTINCT FROM coalesce(after->name, 'null')
    AND (TG_OP = 'UPDATE' OR whole->name NOT IN ('null', '""', '[]', '{}'));
  IF told IS NULL OR whole->>'trust_id' IS NOT NULL THEN RETURN NULL; END IF;
  IF told ? 'url' THEN
    told := told || jsonb_build_object('url', jsonb_build_array(
      substring(before->>'url' from '^[^/]*//([^/?#]*)') || '/…', substring(after->>'url' from '^[^/]*//([^/?#]*)') || '/…'));
  END IF;
  INSERT INTO changes (at, tenant_name, kind, action, subject, fields, by, via) VALUES (
    now(), coalesce(whole->>'tenant_id', ''), TG_ARGV[0],
    CASE TG_OP WHEN 'INSERT' THEN 'made' WHEN 'UPDATE' THEN 'changed' ELSE 'deleted' END,
    left(CASE TG_ARGV[1] WHEN 'url' THEN substring(whole->>'url' from '^[^/]*//([^/?#]*)')
         ELSE coalesce(whole->>TG_ARGV[1], '') END, 300),
    told, coalesce(acting, left(session_user, 150)),
    CASE WHEN acting IS NULL THEN 'SQL' ELSE current_setting('sumok8.via', true) END);
  RETURN NULL;
END $$;

CREATE FUNCTION sumok8_keep_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'rows of changes are neither changed nor deleted' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER changes_are_kept BEFORE UPDATE OR DELETE ON changes
  FOR EACH ROW EXECUTE FUNCTION sumok8_keep_changes();
"""
# table → (kind, the column that names a row, columns that are secret or the service's own)
WATCHED = {
    "tenants": ("tenant", "tenant_id", "refused_because,created_at"),
    "plans": ("plan", "name", "id,created_at"),
    "plan_prices": ("price", "item", "id,made_at"),
    "plan_assignments": ("plan of tenant", "plan", "id,made_at,made_by,is_applied"),
    "api_keys": ("key", "prefix", "id,digest,created_at,last_used_at,expiry_told_for"),
    "members": ("member", "user", "id,created_at"),
    "invitations": ("invitation", "role", "id,digest,created_at,note"),
    "trusted_issuers": ("trusted issuer", "issuer", "id,created_at,last_used_at"),
}
WATCH = """
CREATE TRIGGER {table}_changes AFTER INSERT OR UPDATE OR DELETE ON {table}
  FOR EACH ROW EXECUTE FUNCTION sumok8_record_change('{kind}', '{subject}', '{{{hidden}}}')
"""
BACKWARD = """
DROP FUNCTION sumok8_record_change();
DROP FUNCTION sumok8_public_row(jsonb, text[]);
DROP TRIGGER changes_are_kept ON changes;
DROP FUNCTION sumok8_keep_changes();
"""


class Migration(migrations.Migration):
    dependencies = [("tenants", "0011_accounts"), ("auth", "0012_alter_user_first_name_max_length")]
    operations = [
        migrations.CreateModel(
            name="Change",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                (
                    "tenant_name",
                    models.CharField(
                        blank=True, help_text="Empty: of no tenant, as plans and prices.", max_length=40
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("tenant", "tenant and limits"),
                            ("plan", "plan"),
                            ("price", "price"),
                            ("plan of tenant", "plan of a tenant"),
                            ("key", "API key"),
                            ("member", "member"),
                            ("invitation", "invitation"),
                            ("trusted issuer", "trusted issuer"),
                            ("webhook", "webhook"),
                            ("budget", "budget"),
                        ],
                        max_length=16,
                    ),
                ),
                ("action", models.CharField(help_text="made, changed or deleted", max_length=8)),
                (
                    "subject",
                    models.CharField(blank=True, help_text="Which one, never with a secret.", max_length=300),
                ),
                ("fields", models.JSONField(help_text="{column: [old, new]} of what is no secret.")),
                (
                    "by",
                    models.CharField(
                        help_text="A user, a key's first characters, or the database's user.", max_length=150
                    ),
                ),
                ("via", models.CharField(max_length=60, verbose_name="by way of")),
            ],
            options={
                "db_table": "changes",
                "ordering": ["-id"],
                "indexes": [models.Index(fields=["tenant_name", "-id"], name="changes_of_tenant")],
            },
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
        *(
            migrations.RunSQL(
                WATCH.format(table=table, kind=kind, subject=subject, hidden=hidden),
                f"DROP TRIGGER {table}_changes ON {table}",
            )
            for table, (kind, subject, hidden) in WATCHED.items()
        ),
    ]
