"""What stands for a person on a card."""

import hashlib
import hmac
import unicodedata
from collections.abc import Collection

from offline.base.spelling import canonical, identity


def person_hash(salt: str, person: str) -> str:
    """A keyed hash, so that two cards do not name the same person (but those of one line of descent do).

    It is of the person's identity: P01 and p01 of two tables are one.
    """
    return _hash(salt, identity(person))


def is_among(salt: str, person: str, hashes: Collection[str]) -> bool:
    """Whether a person is one of those whom a card's hashes stand for.

    Earlier versions hashed the code as their table spelt it: the likely spellings are tried too.
    """
    plain = canonical(person)
    decomposed = unicodedata.normalize("NFD", plain)
    forms = {identity(person), person, plain, decomposed, plain.upper(), plain.lower()}
    return any(_hash(salt, form) in hashes for form in forms)


def _hash(salt: str, text: str) -> str:
    return hmac.new(salt.encode(), text.encode(), hashlib.sha256).hexdigest()[:32]
