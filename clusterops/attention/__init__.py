"""What needs somebody: facts gathered from the rows, findings by the rule book, silenced where an operator said so."""

from clusterops.attention.gathering import facts
from clusterops.attention.looking import Attention, look

__all__ = ["Attention", "facts", "look"]
