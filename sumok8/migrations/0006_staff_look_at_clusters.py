from django.contrib.auth.management import create_permissions
from django.db import migrations


def let_look(apps, schema_editor):
    # Django makes permissions after all migrations; on a fresh database this one would find none.
    app = apps.get_app_config("tenants")
    app.models_module = True
    create_permissions(app, apps=apps, using=schema_editor.connection.alias, verbosity=0)
    app.models_module = None
    Group, Permission = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    look = Permission.objects.get(content_type__app_label="tenants", codename="view_cluster")
    for group in Group.objects.filter(name__in=["Support", "Quota editors", "Operators"]):
        group.permissions.add(look)


class Migration(migrations.Migration):
    dependencies = [("sumok8", "0005_staff_look_at_trust"), ("tenants", "0013_clusters")]
    operations = [migrations.RunPython(let_look, migrations.RunPython.noop)]
