"""What a person may type to name a release: a tag, a timestamp, a release's id."""

import re

from fairlead.errors import UsageError

_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_STATE = "no host was contacted; nothing was changed"


def validate_tag(tag: str) -> str:
    """The tag itself, when it follows Docker's grammar; UsageError tells why it does not.

    Grammar: github.com/distribution/reference, `tag`: [\\w][\\w.-]{0,127}, ASCII.
    """
    if _TAG.fullmatch(tag):
        return tag
    raise UsageError(
        f"{tag!r} is no image tag",
        why=[f"a tag is 1 to 128 letters, digits and _.-, not first . or -; {_fault(tag)}"],
        state=_STATE,
        next_step="give the tag alone, as in --tag=v2.5.0",
    )


def validate_release_reference(text: str) -> str:
    """The text itself, when it can name a release: `20251202-143022`, `0007-v2.5.0` or a tag.

    Refused is whatever could leave the folder of releases or be read as more by a shell.
    """
    if re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,159}", text) and ".." not in text:
        return text
    raise UsageError(
        f"{text!r} names no release",
        why=[f"a release is named by its timestamp, its id or its tag; {_fault(text)}"],
        state=_STATE,
        next_step="see which there are: fairlead rollback --list",
    )


def _fault(text: str) -> str:
    if not text:
        return "this is empty"
    strange = sorted(set(re.findall(r"[^A-Za-z0-9_.-]", text)))
    if strange:
        return "this holds " + " ".join(repr(one) for one in strange[:8])
    if text[0] in ".-":
        return f"this begins with {text[0]!r}"
    return "this holds `..`" if ".." in text else f"this has {len(text)} characters"
