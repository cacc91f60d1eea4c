"""The figures that studies compare: the one door to what the runner reports."""

from simulations.studies.statistics.study import Figure

FIGURES: dict[str, Figure] = {
    figure.name: figure
    for figure in (
        Figure("mean_travel_time_s", "mean travel time", "s", 1, "lower"),
        Figure("p95_travel_time_s", "95th percentile of travel times", "s", 1, "lower"),
        Figure("mean_time_loss_s", "mean time loss", "s", 1, "lower"),
        Figure("mean_waiting_time_s", "mean waiting time", "s", 1, "lower"),
        Figure("mean_depart_delay_s", "mean depart delay", "s", 2, "lower"),
        Figure("mean_speed_ms", "mean speed", "m/s", 2, "higher"),
        Figure("mean_route_length_m", "mean route length", "m", 0),
        Figure("total_travel_time_s", "total travel time", "s", 0),
        Figure("vehicles_inserted", "vehicles inserted", "", 0),
        Figure("vehicles_arrived", "vehicles arrived", "", 0, "higher"),
        Figure("vehicles_running_at_end", "vehicles still under way at the end", "", 0, "lower"),
        Figure("vehicles_waiting_at_end", "vehicles still waiting to enter at the end", "", 0, "lower"),
        Figure("trips_finished", "trips finished", "", 0, "higher"),
        Figure("teleports", "teleports", "", 0, "lower", is_count=True),
        Figure("collisions", "collisions", "", 0, "lower", is_count=True),
        Figure("emergency_braking", "emergency brakings", "", 0, "lower", is_count=True),
        Figure("persons_loaded", "persons loaded", "", 0),
        Figure("persons_running_at_end", "persons still under way at the end", "", 0, "lower"),
        Figure("walks_finished", "walks finished", "", 0, "higher"),
        Figure("mean_walk_time_s", "mean walk time", "s", 1, "lower"),
        Figure("rides_finished", "rides finished", "", 0, "higher"),
        Figure("co2_kg", "CO₂", "kg", 1, "lower"),
        Figure("nox_g", "NOx", "g", 1, "lower"),
        Figure("pmx_g", "PMx", "g", 1, "lower"),
        Figure("fuel_kg", "fuel", "kg", 1, "lower"),
    )
}
CHOICES = [(name, figure.label) for name, figure in FIGURES.items()]
DEFAULT_PRIMARY = ("mean_time_loss_s",)
