import django.db.models.deletion
from django.db import migrations, models

# UNLOGGED: after a crash everyone may begin anew, and counting a request waits for no disk. Plain SQL because Django
# would add an index for LIKE, and because half-empty pages keep each update within its page.
FORWARD = """
CREATE UNLOGGED TABLE rate_limits (bucket varchar(64) PRIMARY KEY, arrival timestamptz NOT NULL) WITH (fillfactor = 50)
"""


class Migration(migrations.Migration):
    dependencies = [("tenants", "0003_limit_messages")]
    operations = [
        migrations.RunSQL(
            FORWARD,
            "DROP TABLE rate_limits",
            state_operations=[
                migrations.CreateModel(
                    name="RateLimit",
                    fields=[
                        ("bucket", models.CharField(max_length=64, primary_key=True, serialize=False)),
                        ("arrival", models.DateTimeField()),
                    ],
                    options={"db_table": "rate_limits"},
                ),
            ],
        ),
        # The previous version still counts in api_key_usage while it is replaced, so the table stays until the next
        # release; without its foreign key, which would keep keys from being deleted by code that knows no such table.
        migrations.AlterField(
            model_name="apikeyusage",
            name="api_key",
            field=models.OneToOneField(
                db_constraint=False,
                on_delete=django.db.models.deletion.CASCADE,
                primary_key=True,
                related_name="usage",
                serialize=False,
                to="tenants.apikey",
            ),
        ),
        migrations.SeparateDatabaseAndState(state_operations=[migrations.DeleteModel(name="ApiKeyUsage")]),
    ]
