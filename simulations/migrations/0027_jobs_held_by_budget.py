from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('simulations', '0026_longest_waiting'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='job',
            index=models.Index(condition=models.Q(('reason', 'BUDGET_REACHED'), ('status', 'PENDING')), fields=['tenant'], name='jobs_held_by_budget'),
        ),
    ]
