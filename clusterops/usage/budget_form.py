"""Staff's form of a budget: percentages as people write them, and the currency by its name."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError

from clusterops.usage.budget_models import MAX_SHARES, Budget

LONGEST = 60  # characters: ten shares and what stands between them


class PercentsField(forms.CharField):
    """A list of whole percentages, written `50, 80`. The model says which are allowed."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, max_length=LONGEST, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(map(str, value)) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        words = (super().to_python(value) or "").replace("%", " ").replace(",", " ").split()
        if not all(word.isascii() and word.isdigit() for word in words):
            message = f"Write at most {MAX_SHARES} whole percentages with commas between them, such as 50, 80."
            raise ValidationError(message, code="alert_at.not_percentages")
        return [int(word) for word in words]

    def run_validators(self, value: Any) -> None:
        """The text's length; what it means is the model's to check."""
        super().run_validators(self.prepare_value(value))

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool((initial or []) != self.to_python(data))
        except ValidationError:
            return True


class BudgetForm(forms.ModelForm):
    alert_at = PercentsField(
        label="Alert at (%)", help_text="Percentages at which to tell, with commas: 50, 80. 100 is always told."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        measure: Any = self.fields.get("measure")
        if measure is not None:
            words = dict(Budget.Measure.choices) | {Budget.Measure.AMOUNT: f"amount, in {settings.BILLING_CURRENCY}"}
            measure.choices = list(words.items())
