"""One hash over what shapes a release, so that two releases can be told apart or called equal."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from fairlead.model import Secret


def config_hash(parts: Mapping[str, Any]) -> str:
    """sha256 (hex) of the values in canonical form; a Secret enters as its own sha256."""
    from hashlib import sha256
    from json import dumps

    text = dumps(_canonical(parts), sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()


def _canonical(value: Any) -> Any:
    if isinstance(value, Secret):
        from hashlib import sha256

        return {"sha256": sha256(value.reveal().encode(errors="surrogateescape")).hexdigest()}
    if is_dataclass(value):
        shaping = [one for one in fields(value) if not one.metadata.get("local")]
        return {one.name: _canonical(getattr(value, one.name)) for one in shaping}
    if isinstance(value, Mapping):
        return {str(key): _canonical(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_canonical(item) for item in value]
    return value
