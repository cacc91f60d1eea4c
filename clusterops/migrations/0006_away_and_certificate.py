from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("clusterops", "0005_attention_silences")]
    operations = [
        migrations.AddField(
            model_name="clustersample",
            name="saw_cluster",
            # While a version that does not know the column still writes, the database fills it in.
            field=models.BooleanField(db_default=True, default=True),
        ),
        migrations.AddField(
            model_name="reconcilerstate",
            name="certificate_ends_at",
            field=models.DateTimeField(
                blank=True, help_text="Of what it shows the cluster; null: it shows none.", null=True
            ),
        ),
    ]
