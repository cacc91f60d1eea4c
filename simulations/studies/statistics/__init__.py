"""What may be said of several runs: plain Python, one value per run and figure, never one per vehicle.

A run is the unit that is replicated. Vehicles within a run depend on each other, so that counting them as a sample
would make intervals far too narrow (pseudo-replication).
"""
