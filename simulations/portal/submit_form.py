"""The form's fields, and the POST /jobs that they mean."""

from typing import Any

from django import forms
from rest_framework.exceptions import ValidationError

from simulations.api.requests import MAX_LABELS
from simulations.portal.jobs import LABEL, sentences_of
from simulations.sumo.inputs.options import EDGES, OUTPUTS

MAX_RUNS = 50
AS_THEY_ARE = (
    *("scenario_id", "scenario_version", "config", "begin", "end", "scale", "cpu_request", "memory_gi"),
    *("outputs", "emissions", "edges_interval_s", "window_begin", "window_end"),
)


class SubmitForm(forms.Form):
    """What most runs need; the API takes more."""

    scenario_id = forms.ChoiceField(label="Scenario")
    scenario_version = forms.IntegerField(label="Version", required=False, min_value=1, help_text="Empty: the newest.")
    config = forms.CharField(
        label="Configuration", required=False, max_length=500, help_text="Empty: the one chosen at upload."
    )
    begin = forms.FloatField(label="Begin (s)", required=False, help_text="Empty: the scenario's own.")
    end = forms.FloatField(label="End (s)", required=False, help_text="Empty: the scenario's own.")
    scale = forms.FloatField(label="Demand factor", required=False, min_value=0, help_text="1.1 is 10 % more traffic.")
    seed = forms.IntegerField(
        label="Seed", required=False, min_value=0, max_value=2**31 - 1, help_text="Of several runs the first."
    )
    runs = forms.IntegerField(label="Runs", min_value=1, max_value=MAX_RUNS, help_text="With seeds one after another.")
    cpu_request = forms.IntegerField(label="CPUs of each", min_value=1, help_text="SUMO uses one core.")
    memory_gi = forms.IntegerField(label="Memory of each (Gi)", min_value=1)
    time_limit_min = forms.IntegerField(
        label="Time limit (minutes)", required=False, min_value=1, max_value=10**6, help_text="Wall clock."
    )
    outputs = forms.MultipleChoiceField(
        label="More outputs",
        required=False,
        choices=[(name, f"{name}: {output.help}") for name, output in OUTPUTS.items()],
        widget=forms.CheckboxSelectMultiple,
    )
    edges = forms.BooleanField(
        label="Map", required=False, help_text="Traffic per edge and interval; costs next to nothing."
    )
    edges_interval_s = forms.FloatField(
        label="Interval of the traffic per edge (s)", required=False, help_text="60 to 86400. Empty: 900."
    )
    window_begin = forms.FloatField(
        label="Figures of trips from (s)", required=False, help_text="When the warm-up is over. Empty: all trips."
    )
    window_end = forms.FloatField(
        label="… and before (s)", required=False, help_text="By their departure; they are let finish until the end."
    )
    emissions = forms.BooleanField(label="Compute emissions", required=False, help_text="About 40 % slower.")
    labels = forms.CharField(
        label="Labels",
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
        help_text="One a line, as name: value; to find the runs by.",
    )

    def __init__(self, scenarios: list[str], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["scenario_id"]
        field.choices = [(name, name) for name in scenarios]

    def clean_labels(self) -> dict[str, str]:
        lines = [line.strip() for line in self.cleaned_data["labels"].splitlines() if line.strip()]
        if len(lines) > MAX_LABELS:
            raise forms.ValidationError(f"At most {MAX_LABELS} labels.")
        pairs = [LABEL.split(line, maxsplit=1) for line in lines]
        if bad := [line for line, pair in zip(lines, pairs, strict=True) if len(pair) != 2]:
            raise forms.ValidationError(f"“{bad[0][:40]}” is not of the form name: value.")
        return dict(pairs)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("runs", 1) > 1 and data.get("seed") is None and "seed" not in self.errors:
            self.add_error("seed", "Give the first seed: several runs with the same one would be the same run.")
        if data.get("edges_interval_s") is not None and not data.get("edges"):
            self.add_error("edges_interval_s", "There is none without the map.")
        return data

    def bodies(self) -> list[dict[str, Any]]:
        """A POST /jobs for each run, with only what was given."""
        data = self.cleaned_data
        body = {name: data[name] for name in AS_THEY_ARE if data[name] not in (None, "", [], False)}
        if data["edges"]:
            body["outputs"] = [*data["outputs"], EDGES]
        if data["time_limit_min"]:
            body["time_limit_s"] = 60 * data["time_limit_min"]
        if data["labels"]:
            body["labels"] = data["labels"]
        if data["seed"] is None:
            return [body]
        return [{**body, "seed": data["seed"] + n} for n in range(data["runs"])]

    def take(self, error: ValidationError) -> None:
        """What the API's own check says, at the field it speaks of."""
        told: Any = error.detail
        for name, sentences in told.items() if isinstance(told, dict) else [("", told)]:
            place = {"time_limit_s": "time_limit_min"}.get(name, name)
            for sentence in sentences_of(sentences):
                self.add_error(place if place in self.fields else None, sentence)
