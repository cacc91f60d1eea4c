from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('tenants', '0009_trust'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='apikey',
            index=models.Index(condition=models.Q(('trust__isnull', False)), fields=['expires_at'], name='api_keys_traded_by_end'),
        ),
    ]
