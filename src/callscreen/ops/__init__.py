"""What operators see of a part: metrics, health, logs, traces. It imports no other part.

1. A part says what it counts and what must hold; where that is shown is not its business.
2. What is counted on a hot path is a plain number, read when somebody asks for it.
3. A label's values come from the code or from what operators provisioned, never from a stranger.
"""

from .instruments import Instruments
from .metrics import Add, Family, Histogram

__all__ = ["Add", "Family", "Histogram", "Instruments"]
