from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("simulations", "0023_kinds_of_notices")]
    operations = [
        migrations.AlterModelOptions(
            name="job",
            options={
                "ordering": ["-submitted_at", "-job_id"],
                "permissions": [("cancel_job", "Can cancel jobs"), ("rerun_job", "Can run jobs again")],
            },
        )
    ]
