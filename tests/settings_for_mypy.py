"""The product's settings as the type checker loads them: without a database or secrets at hand."""

import os

os.environ.setdefault("DEBUG", "true")
os.environ.setdefault("DATABASE_URL", "postgresql://localhost/none")

from sumok8.settings import *  # noqa: F403
