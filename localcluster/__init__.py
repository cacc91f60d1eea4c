"""A small loopback Kubernetes for laptops and tests; its pods are local processes."""
