from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("clusterops", "0002_installation")]

    operations = [
        migrations.AddField(
            model_name="reconcilerstate",
            name="troubles",
            field=models.JSONField(
                default=list, help_text="The first of what fails pass after pass, and objects that cannot be read."
            ),
        ),
    ]
