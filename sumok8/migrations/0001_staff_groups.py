from django.contrib.auth.management import create_permissions
from django.db import migrations

LOOK = {
    "tenants": ["tenant", "apikey"],
    "simulations": ["scenario", "job", "jobevent", "artifact"],
    "clusterops": ["tenantnamespace", "reconcilerstate"],
    "admin": ["logentry"],
}
EDIT = {"tenants": ["add_tenant", "change_tenant", "add_apikey", "change_apikey"]}


def make_groups(apps, schema_editor):
    # Django makes permissions after all migrations; on a fresh database this one would find none.
    for label in LOOK:
        app = apps.get_app_config(label)
        app.models_module = True
        create_permissions(app, apps=apps, using=schema_editor.connection.alias, verbosity=0)
        app.models_module = None
    Group, Permission = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")

    def named(app, codenames):
        return Permission.objects.filter(content_type__app_label=app, codename__in=codenames)

    look = [each for app, models in LOOK.items() for each in named(app, [f"view_{model}" for model in models])]
    edit = [each for app, codenames in EDIT.items() for each in named(app, codenames)]
    Group.objects.get_or_create(name="Support")[0].permissions.add(*look)
    Group.objects.get_or_create(name="Quota editors")[0].permissions.add(*look, *edit)


class Migration(migrations.Migration):
    initial = True
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("admin", "0003_logentry_add_action_flag_choices"),
        ("tenants", "0001_initial"),
        ("simulations", "0001_initial"),
        ("clusterops", "0001_initial"),
    ]
    operations = [migrations.RunPython(make_groups, migrations.RunPython.noop)]
