"""Word to tenants' own addresses when something of theirs has ended."""
