"""`python -m tests.check_migrations`: fails when a model changed without its migration."""

import os
import sys

from tests import environment

os.environ["DJANGO_SETTINGS_MODULE"] = "sumok8.settings"

if __name__ == "__main__":
    import django
    from django.core.management import call_command

    try:
        django.setup()
        call_command("makemigrations", "--check", "--dry-run")
    finally:
        environment.pytest_unconfigure()
    sys.exit()
