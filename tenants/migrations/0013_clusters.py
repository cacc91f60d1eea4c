import django.contrib.postgres.fields
import django.db.models.deletion
import tenants.clusters
from django.db import migrations, models


def make_first(apps, schema_editor):
    # What it leaves empty is as the settings say, so that nothing changes for who has one cluster.
    apps.get_model("tenants", "Cluster").objects.create(name="default")


class Migration(migrations.Migration):

    dependencies = [
        ('tenants', '0012_changes'),
    ]

    operations = [
        migrations.CreateModel(
            name='Cluster',
            fields=[
                ('id', models.AutoField(primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=40, unique=True, validators=[tenants.clusters.validate_cluster_name])),
                ('region', models.CharField(blank=True, help_text='Where its machines stand; tenants may be bound to it.', max_length=40)),
                ('kubeconfig', models.CharField(blank=True, help_text="Path of its kubeconfig file, as this service's processes see it; empty: as KUBE_CONFIG_PATH says.", max_length=300)),
                ('context', models.CharField(blank=True, help_text="Which of the kubeconfig file's contexts; empty: its current one.", max_length=200)),
                ('service_url', models.CharField(blank=True, help_text='As its pods see it; empty: RUNNER_URL.', max_length=300, validators=[tenants.clusters.validate_service_url], verbose_name='address of this service')),
                ('capacity', models.CharField(blank=True, help_text='What jobs may have there at one time; empty: as CAPACITY says.', max_length=100, validators=[tenants.clusters.validate_capacity])),
                ('state', models.CharField(choices=[('active', 'active'), ('draining', 'draining: what has begun there goes on, nothing else is started'), ('down', 'down: nothing is started there, and operators are told')], default='active', max_length=10)),
            ],
            options={
                'db_table': 'clusters',
                'ordering': ['id'],
            },
        ),
        migrations.RunPython(make_first, migrations.RunPython.noop),
        migrations.AddField(
            model_name='tenant',
            name='allowed_regions',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=40), blank=True, db_default=[], default=list, help_text='Regions of clusters that may be its home, separated by commas; empty: any.', size=None),
        ),
        migrations.AddField(
            model_name='tenant',
            name='cluster',
            field=models.ForeignKey(db_default=models.Value(1), default=1, help_text='Its home, where its jobs run.', on_delete=django.db.models.deletion.PROTECT, related_name='tenants', to='tenants.cluster'),
        ),
    ]
