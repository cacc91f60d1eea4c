"""The tenants' REST API, and the addresses that running pods call."""
