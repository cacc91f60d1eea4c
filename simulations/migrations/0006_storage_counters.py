import django.db.models.deletion
from django.db import migrations, models

COUNT = """
INSERT INTO tenant_storage (tenant_id, result_bytes, scenario_bytes)
SELECT t.tenant_id,
  coalesce((SELECT sum(a.size_bytes) FROM artifacts a JOIN jobs j ON j.job_id = a.job_id
            WHERE j.tenant_id = t.tenant_id), 0),
  coalesce((SELECT sum(size_bytes) FROM
            (SELECT DISTINCT file, size_bytes FROM scenarios s WHERE s.tenant_id = t.tenant_id) own), 0)
FROM tenants t
"""


class Migration(migrations.Migration):

    dependencies = [
        ('simulations', '0004_tenant_index'),
    ]

    operations = [
        migrations.CreateModel(
            name='TenantStorage',
            fields=[
                ('tenant', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='storage', serialize=False, to='tenants.tenant')),
                ('result_bytes', models.BigIntegerField(default=0)),
                ('scenario_bytes', models.BigIntegerField(default=0, help_text='Of its own versions; those with the same content count once. Shared ones are nobody\'s.')),
            ],
            options={
                'db_table': 'tenant_storage',
            },
        ),
        migrations.RunSQL(COUNT, migrations.RunSQL.noop),
    ]
