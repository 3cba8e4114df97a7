"""Where a change's octets have what is read of them without making messages."""

from typing import Any

__all__ = ["layout"]

NUMBER = (
    "number",
    "subscriber_name",
    "service_provider_name",
    "whitelist",
    "blacklist",
    "vip",
    "blocked",
)


def layout(change: Any) -> tuple[int, ...]:
    """Numbers of fields, in the order in which `number_puts` wants them.

    `change` is the class of the messages; only the names of its fields are known here.
    """
    mutations = change.DESCRIPTOR.fields_by_name["mutations"]
    mutation = mutations.message_type.fields_by_name
    each = mutation["put"].message_type
    number = each.fields_by_name["number"]
    return (
        mutations.number,
        mutation["name"].number,
        mutation["put"].number,
        min(field.number for field in each.oneofs_by_name["kind"].fields),
        number.number,
        *(number.message_type.fields_by_name[name].number for name in NUMBER),
    )
