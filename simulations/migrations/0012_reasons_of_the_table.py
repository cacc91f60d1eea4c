from django.db import migrations, models


class Migration(migrations.Migration):
    """The reasons' names live in the table of endings alone; nothing changes in the database."""

    dependencies = [("simulations", "0008_control_plane_unreachable")]

    operations = [
        migrations.AlterField(
            model_name="job",
            name="reason",
            field=models.CharField(
                default="QUEUED",
                help_text="Of the table of endings. No choices of the column, so that a new one needs no migration.",
                max_length=24,
            ),
        ),
    ]
