# %% [markdown]
# # A base and a variant, ten seeds each
# Editors such as VS Code and JupyterLab (with jupytext) open this file as a notebook; it also runs as a script.
# It asks the service of `SUMOK8_URL` with the key in `SUMOK8_API_KEY`, or that of your last `sumok8 login`.

# %%
import os

from sumok8_client import connect

client = connect()
scenario = os.environ.get("SCENARIO", "midtown_peak")

# %% [markdown]
# ## One request, twenty runs

# %%
study = client.submit_study(
    {
        "name": "15 % more traffic",
        "base": {"scenario_id": scenario},
        "variants": [{"name": "today"}, {"name": "more", "scale": 1.15}],
        "seeds": {"first": 1, "count": int(os.environ.get("SEEDS", "10"))},
        "primary_kpis": ["mean_travel_time_s"],
    }
)
study.wait()
print(study.message)

# %% [markdown]
# ## What may be said

# %%
summary = study.summary()
for comparison in summary["comparisons"]:
    if comparison["primary"]:
        print(comparison["sentence"])

# %% [markdown]
# ## A chart of the comparison
# Each seed's travel time under both variants: with matplotlib, `runs_frame(study).pivot(index="seed", columns="cell",
# values="mean_travel_time_s").plot.bar()` draws the same.

# %%
by_seed: dict = {}
for run in study.runs(status=["SUCCEEDED"]):
    by_seed.setdefault(run["seed"], {})[run["cell"]] = run["kpis"]["mean_travel_time_s"]
longest = max(value for cells in by_seed.values() for value in cells.values())
for seed, cells in sorted(by_seed.items()):
    for cell, value in sorted(cells.items()):
        print(f"seed {seed:>3}  {cell:<8} {'█' * round(40 * value / longest)} {value:.1f} s")
