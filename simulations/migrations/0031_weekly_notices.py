from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('simulations', '0030_refusals'),
    ]

    operations = [
        migrations.AlterField(
            model_name='notice',
            name='kind',
            field=models.CharField(choices=[('job.succeeded', 'Job Succeeded'), ('job.failed', 'Job Failed'), ('job.cancelled', 'Job Cancelled'), ('study.ended', 'Study Ended'), ('budget.reached', 'Budget Reached'), ('key.expiring', 'Key Expiring'), ('webhook.disabled', 'Webhook Disabled'), ('usage.weekly', 'Usage Weekly'), ('webhook.test', 'Test')], max_length=24),
        ),
    ]
