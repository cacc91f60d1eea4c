from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tenants", "0014_cluster_storage")]

    operations = [
        migrations.AddField(
            model_name="invitation",
            name="made_by",
            field=models.CharField(
                blank=True, db_default="", editable=False, help_text="The owner's user name.", max_length=150
            ),
        )
    ]
