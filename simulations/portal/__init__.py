"""Pages of tenants' people. They do what the REST API does, through the same services."""
