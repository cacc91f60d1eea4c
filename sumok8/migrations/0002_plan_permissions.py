from django.contrib.auth.management import create_permissions
from django.db import migrations

LOOK = ["view_plan", "view_planprice", "view_planassignment"]
EDIT = ["add_plan", "change_plan", "add_planprice"]


def extend_groups(apps, schema_editor):
    app = apps.get_app_config("tenants")
    app.models_module = True
    create_permissions(app, apps=apps, using=schema_editor.connection.alias, verbosity=0)
    app.models_module = None
    Group, Permission = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")

    def named(codenames):
        return Permission.objects.filter(content_type__app_label="tenants", codename__in=codenames)

    for name, codenames in (("Support", LOOK), ("Quota editors", [*LOOK, *EDIT])):
        for group in Group.objects.filter(name=name):  # operators may have renamed or deleted it
            group.permissions.add(*named(codenames))


class Migration(migrations.Migration):
    dependencies = [("sumok8", "0001_staff_groups"), ("tenants", "0007_plans")]
    operations = [migrations.RunPython(extend_groups, migrations.RunPython.noop)]
