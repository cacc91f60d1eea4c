"""The product broken on purpose: real parts, faults on demand, and a ledger of what really ran."""
