"""What stands for a person on a card."""

import hashlib
import hmac


def person_hash(salt: str, person: str) -> str:
    """A keyed hash, so that two cards do not name the same person (but those of one line of descent do)."""
    return hmac.new(salt.encode(), person.encode(), hashlib.sha256).hexdigest()[:32]
