"""What we send to Kubernetes: namespace, quota, network policy, Job. Pure."""
