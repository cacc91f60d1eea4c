from django.contrib.auth.management import create_permissions
from django.db import migrations

DO = {
    "simulations": ["cancel_job", "rerun_job"],
    "clusterops": ["add_attentionsilence", "view_attentionsilence"],
}


def make_group(apps, schema_editor):
    # As in the migration before: on a fresh database there are no permissions yet.
    for label in DO:
        app = apps.get_app_config(label)
        app.models_module = True
        create_permissions(app, apps=apps, using=schema_editor.connection.alias, verbosity=0)
        app.models_module = None
    Group, Permission = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    operators = Group.objects.get_or_create(name="Operators")[0]
    for support in Group.objects.filter(name="Support"):
        operators.permissions.add(*support.permissions.all())
    for label, codenames in DO.items():
        operators.permissions.add(
            *Permission.objects.filter(content_type__app_label=label, codename__in=codenames)
        )


class Migration(migrations.Migration):
    dependencies = [
        ("sumok8", "0002_plan_permissions"),
        ("simulations", "0024_job_permissions"),
        ("clusterops", "0005_attention_silences"),
    ]
    operations = [migrations.RunPython(make_group, migrations.RunPython.noop)]
