"""Serializer fields that take a value of the right JSON type or none: no "2" for 2, no true for 1, no silent extras."""

import math
import re
from datetime import datetime
from functools import cache
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

PLUS = "A “+” in an address means a space: write it as %2B, or give the time in UTC, ending in Z."
LOST_PLUS = re.compile(r"[T ][0-9:.,]+ [0-9]{2}(:?[0-9]{2})?$")


class WholeNumber(serializers.IntegerField):
    default_error_messages = {"invalid": "Must be a whole number."}

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return data


class Number(serializers.FloatField):
    default_error_messages = {"invalid": "Must be a number."}

    def to_internal_value(self, data: Any) -> float:
        if isinstance(data, bool) or not isinstance(data, int | float):
            self.fail("invalid")
        try:
            number = float(data)
        except OverflowError:  # a whole number that no float holds
            self.fail("invalid")
        if not math.isfinite(number):
            self.fail("invalid")
        return number


class Text(serializers.CharField):
    default_error_messages = {"invalid": "Must be a text."}

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return data


class Line(Text):
    """A text that lists and terminals show: with control characters it could write over what stands beside it."""

    default_error_messages = {"not_printable": "Must be one line of printable text."}

    def to_internal_value(self, data: Any) -> str:
        line = super().to_internal_value(data)
        if not line.isprintable():
            self.fail("not_printable")
        return line


class YesNo(serializers.BooleanField):
    default_error_messages = {"invalid": "Must be true or false."}

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid")
        return data


class ShortList(serializers.ListField):
    """Looks at what is in it only if there is not too much of it: an entry that is wrong takes far longer than one that
    is right."""

    def to_internal_value(self, data: Any) -> list[Any]:
        if isinstance(data, list) and self.max_length is not None and len(data) > self.max_length:
            message = self.error_messages["max_length"].format(max_length=self.max_length)
            raise ValidationError(message, code="max_length")
        found: list[Any] = super().to_internal_value(data)
        return found


class Choice(serializers.ChoiceField):
    """One of few values, all of which a refusal names."""

    default_error_messages = {"invalid_choice": "There is no “{shown}”. Known are: {known}."}

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str) or data not in self.choices:
            self.fail("invalid_choice", shown=str(data)[:64], known=", ".join(self.choices))
        return super().to_internal_value(data)


class Moment(serializers.DateTimeField):
    """A time in an address, where a `+` that is not written as %2B arrives as a space."""

    default_error_messages = {"plus": PLUS}

    def to_internal_value(self, value: Any) -> datetime:
        if isinstance(value, str) and LOST_PLUS.search(value):
            self.fail("plus")
        return super().to_internal_value(value)


class StrictSerializer(serializers.Serializer):
    """Refuses names that it does not know, along with everything else that is wrong."""

    @classmethod
    def read(cls, data: Any) -> Any:
        """The validated `data`. One serializer for all requests: making its fields takes longer than using them.

        Raises ValidationError.
        """
        return _bound(cls).run_validation(data)

    def to_internal_value(self, data: Any) -> Any:
        errors: dict[str, Any] = {}
        value: Any = None
        try:
            value = super().to_internal_value(data)
        except ValidationError as error:
            if not isinstance(error.detail, dict) or not hasattr(data, "keys"):
                raise
            errors |= error.detail
        for name in sorted(set(data) - set(self.fields)):
            shown = name[:64]
            message = f"There is no field “{shown}”. Known are: {', '.join(self.fields)}."
            errors[shown] = [ErrorDetail(message, code="unknown_field")]
        for name, details in self.further_errors(data, errors).items():
            errors.setdefault(name, details)
        if errors:
            raise ValidationError(errors)
        return value

    def further_errors(self, data: Any, errors: dict[str, Any]) -> dict[str, list[ErrorDetail]]:
        """What is wrong beyond single fields, by the field to blame; `errors` is what was found so far."""
        return {}


@cache
def _bound(kind: type[StrictSerializer]) -> StrictSerializer:
    return kind()
