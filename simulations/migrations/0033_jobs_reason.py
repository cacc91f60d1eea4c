from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('simulations', '0032_clusters'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='job',
            index=models.Index(condition=models.Q(('reason__in', ['QUEUED', 'COMPLETED']), _negated=True), fields=['reason', '-submitted_at', '-job_id'], name='jobs_reason'),
        ),
    ]
