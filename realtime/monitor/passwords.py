"""Who may look and who may write: a file of names, roles and scrypt hashes.

A line is ``NAME ROLE scrypt SALT HASH``, salt and hash in hexadecimal, ROLE ``read`` or ``write``.  Names are
pseudonyms as everywhere: they stand in the journals of what they wrote.
"""

import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from models.errors import BrokerError

Role = Literal["read", "write"]
COST = {"n": 2**15, "r": 8, "p": 1, "maxmem": 2**26, "dklen": 32}
"""scrypt's cost: 32 MiB and about a tenth of a second a try."""
SHORTEST = 8
"""Characters of a password."""
_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may log in.

    Parameters
    ----------
    name : str
        Pseudonym.
    role : {"read", "write"}
        Whether they may only look.
    salt, hashed : bytes
        Of the password.
    """

    name: str
    role: Role
    salt: bytes
    hashed: bytes


def account(name: str, role: Role, password: str) -> Account:
    """Make an account.

    Raises
    ------
    BrokerError
        The name is none, or the password is too short.
    """
    if not _NAME.fullmatch(name):
        raise BrokerError(f"The name is {name[:80]!r}; expected 1 to 64 of A-Z, a-z, 0-9, '.', '_' and '-'.")
    if len(password) < SHORTEST:
        raise BrokerError(f"The password has {len(password)} characters; expected {SHORTEST} or more.")
    salt = secrets.token_bytes(16)
    return Account(name, role, salt, _hash(password, salt))


def line(one: Account) -> str:
    """The account as a line of the file."""
    return f"{one.name} {one.role} scrypt {one.salt.hex()} {one.hashed.hex()}\n"


def read_accounts(path: Path) -> Mapping[str, Account]:
    """The accounts of a file, by name.

    Raises
    ------
    BrokerError
        It cannot be read, others of this machine can read it, or a line is none.
    """
    try:
        text = path.read_text(encoding="utf-8")
        mode = path.stat().st_mode
    except (OSError, UnicodeDecodeError) as error:
        raise BrokerError(f"The file of accounts {path} cannot be read ({error}).") from error
    if os.name == "posix" and mode & 0o077:
        raise BrokerError(
            f"The file of accounts {path} has mode {mode & 0o777:o}: others can read it. Do: chmod 600 it."
        )
    found: dict[str, Account] = {}
    for number, each in enumerate(text.splitlines(), start=1):
        if not each.strip() or each.startswith("#"):
            continue
        words = each.split()
        try:
            name, role, method, salt, hashed = words
            if (
                not _NAME.fullmatch(name)
                or role not in ("read", "write")
                or method != "scrypt"
                or name in found
            ):
                raise ValueError
            found[name] = Account(name, cast(Role, role), bytes.fromhex(salt), bytes.fromhex(hashed))
        except ValueError:
            raise BrokerError(
                f"Line {number} of {path} is no account, or names one twice; expected NAME read|write scrypt "
                "SALT HASH, as `hemostream monitor --add-user NAME` writes it."
            ) from None
    if not found:
        raise BrokerError(
            f"{path} holds no account. Add one: hemostream monitor --users {path} --add-user NAME."
        )
    return found


def matches(one: Account | None, password: str) -> bool:
    """Whether this is the account's password; without an account as slow, and never.

    Parameters
    ----------
    one : Account or None
        Whose.
    password : str
        What was typed.
    """
    salt, hashed = (one.salt, one.hashed) if one else (b"nobody's salt...", b"\0" * 32)
    return hmac.compare_digest(_hash(password, salt), hashed) and one is not None


def _hash(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode("utf-8", "replace")[:1024], salt=salt, **COST)
