"""What JSON Schema can say of one field's demands on another: one schema a message, in one table.

1. A request's schema has these beside its fields' own. What is valid by the rules of the message
   is valid by these; they leave out what no schema says, as that one number is above another.
"""

from typing import Any, Final

from ..v1.settings_pb2 import PostStep
from .cross import STEP_NEEDS
from .fields import shape_of

__all__ = ["DEMANDS"]

Schema = dict[str, Any]
SOME: Final[Schema] = {"type": ["string", "integer", "array"], "minLength": 1, "minItems": 1}
TWO_OR_NONE: Final[Schema] = {"anyOf": [{"minItems": 2}, {"maxItems": 0}]}


def _post_step() -> Schema:
    """A step has what its type needs, and two positions where it has any."""
    [types] = (field.rules.accepted for field in shape_of(PostStep).fields if field.name == "type")
    needing = [
        {"properties": {"type": {"const": name}, need: SOME}, "required": ["type", need]}
        for name, need in STEP_NEEDS.items()
    ]
    others = [name for name in types if name not in STEP_NEEDS]
    by_type = {"anyOf": [*needing, {"properties": {"type": {"enum": others}}}]}
    return {"allOf": [by_type, {"properties": {"range": TWO_OR_NONE}}]}


DEMANDS: Final[dict[str, Schema]] = {"PostStep": _post_step()}
