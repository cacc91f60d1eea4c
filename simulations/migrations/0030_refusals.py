import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("simulations", "0029_jobs_tenant_ended"), ("tenants", "0010_traded_keys_index")]
    operations = [
        migrations.CreateModel(
            name="Refusal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField()),
                ("code", models.CharField(max_length=40)),
                ("count", models.PositiveIntegerField(default=1)),
                (
                    "tenant",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="refusals",
                        to="tenants.tenant",
                    ),
                ),
            ],
            options={
                "db_table": "refusals",
                "constraints": [models.UniqueConstraint(fields=("tenant", "day", "code"), name="refusals_unique")],
            },
        ),
    ]
