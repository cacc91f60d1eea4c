"""Tenants' own endpoints over REST."""
