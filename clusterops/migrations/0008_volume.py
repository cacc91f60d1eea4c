from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('clusterops', '0007_clusters'),
    ]

    operations = [
        migrations.AddField(
            model_name='reconcilerstate',
            name='volume_free',
            field=models.BigIntegerField(blank=True, help_text='Bytes, where files are kept; null: a bucket, or another reconciler says.', null=True),
        ),
        migrations.AddField(
            model_name='reconcilerstate',
            name='volume_size',
            field=models.BigIntegerField(blank=True, null=True),
        ),
    ]
