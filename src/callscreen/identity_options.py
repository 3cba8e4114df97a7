"""What the options of caller identity say, for the parts that sign and verify."""

from collections.abc import Mapping
from pathlib import Path

from .identity.service import IdentityConfig

__all__ = ["identity_config"]


def identity_config(stir: Mapping[str, str], cache: Path | None) -> IdentityConfig:
    """Of `edge_options.stir_options`; `cache` is the folder of what was fetched, None for none."""
    private = filter(None, map(str.strip, stir["stir_private"].split(",")))
    return IdentityConfig(
        keys=stir["stir_keys"],
        roots=stir["stir_roots"],
        ca=stir["stir_ca"],
        cache=str(cache or ""),
        private=tuple(private),
        crl=stir["stir_crl"],
        trust_list=stir["stir_trust_list"],
        trust_list_ca=stir["stir_trust_list_ca"],
    )
