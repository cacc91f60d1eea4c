"""Where an error lies is written in one form, whichever check found it."""

from rest_framework.exceptions import ErrorDetail

from simulations.api.rewording import flat

BLANK = ErrorDetail("May not be blank.", code="blank")


def test_fields_follow_a_dot_and_entries_of_lists_stand_in_brackets() -> None:
    detail = {
        "base": {"options": {"seed": [BLANK]}, "non_field_errors": [BLANK]},
        "outputs": {1: [BLANK]},
        "variants": [{}, {"name": [BLANK]}],
        "non_field_errors": [BLANK],
    }
    places = [where for where, _ in flat(detail)]
    assert places == ["base.options.seed", "base", "outputs[1]", "variants[1].name", ""]
