import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('simulations', '0031_weekly_notices'),
        ('tenants', '0013_clusters'),
    ]

    operations = [
        migrations.AddField(
            model_name='job',
            name='cluster',
            field=models.ForeignKey(db_constraint=False, db_default=models.Value(1), db_index=False, default=1, help_text="Where it is to run: its tenant's home when it was submitted, or moved to before it began.", on_delete=django.db.models.deletion.PROTECT, related_name='jobs', to='tenants.cluster'),
        ),
    ]
