import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('clusterops', '0006_away_and_certificate'),
        ('tenants', '0013_clusters'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='reconcilerstate',
            options={'ordering': ['cluster']},
        ),
        migrations.RemoveConstraint(
            model_name='reconcilerstate',
            name='reconciler_state_one_row',
        ),
        migrations.AddField(
            model_name='clustersample',
            name='cluster',
            field=models.ForeignKey(db_default=models.Value(1), db_index=False, default=1, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenants.cluster'),
        ),
        # The column stays: its one value, 1, was never more than the first cluster's.
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    "ALTER TABLE reconciler_state ALTER COLUMN id TYPE integer,"
                    " ADD CONSTRAINT reconciler_state_id_fk_clusters"
                    " FOREIGN KEY (id) REFERENCES clusters (id) DEFERRABLE INITIALLY DEFERRED",
                    "ALTER TABLE reconciler_state DROP CONSTRAINT reconciler_state_id_fk_clusters",
                )
            ],
            state_operations=[
                migrations.RemoveField(model_name='reconcilerstate', name='id'),
                migrations.AddField(
                    model_name='reconcilerstate',
                    name='cluster',
                    field=models.OneToOneField(db_column='id', default=1, on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='reconciler_state', serialize=False, to='tenants.cluster'),
                ),
            ],
        ),
        migrations.AddField(
            model_name='tenantnamespace',
            name='cluster',
            field=models.ForeignKey(db_default=models.Value(1), db_index=False, default=1, help_text='In which it was made.', on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.cluster'),
        ),
    ]
