"""What the framework says of wrong values, as the API says it."""

import pytest
from rest_framework import serializers

from simulations.api.fields import Choice
from sumok8.errors import _details


class Asked(serializers.Serializer):
    labels = serializers.DictField(required=False)
    outputs = serializers.ListField(child=serializers.CharField(max_length=3), min_length=1, max_length=2)
    cpu = serializers.IntegerField(min_value=1, max_value=8, required=False)
    status = Choice(choices=[("ON", "It is on"), ("OFF", "It is off")], required=False)


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ([], "Must be an object of names and values, not a list."),
        ({"labels": [1], "outputs": ["a"]}, "Must be an object of names and values, not a list."),
        ({"outputs": "fcd"}, "Must be a list, not a text."),
        ({"outputs": []}, "Must have at least 1 entry."),
        ({"outputs": ["a"] * 3}, "Must have at most 2 entries."),
        ({"outputs": ["long"]}, "Must have at most 3 characters."),
        ({"outputs": ["a"], "cpu": 0}, "Must be at least 1."),
        ({"outputs": ["a"], "cpu": 9}, "Must be at most 8."),
        ({"outputs": ["a"], "cpu": "x"}, "Must be a whole number."),
        ({"outputs": ["a"], "status": "on"}, "There is no “on”. Known are: ON, OFF."),
        ({"outputs": ["a"], "status": ["ON"]}, "There is no “['ON']”. Known are: ON, OFF."),
    ],
)
def test_the_frameworks_words_are_the_apis(sent: object, told: str) -> None:
    asked = Asked(data=sent)
    assert not asked.is_valid()
    assert [entry["message"] for entry in _details(asked.errors)] == [told]
