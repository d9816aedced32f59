"""Who is there, and what they may do: cookies, tokens against forged requests, tries at passwords counted."""

import asyncio
import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from itsdangerous import BadSignature, URLSafeTimedSerializer

from realtime.monitor.passwords import Account, Role, matches

LASTS_S = 12 * 3600
"""A login holds for a shift."""
TRIES = 5
"""Wrong passwords of one name, or from one address, before it has to wait."""
FORGIVEN_AFTER_S = 60.0
MOST_COUNTED = 4096
"""Names and addresses whose tries are counted at a time."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who is let in.

    Parameters
    ----------
    name : str
        Pseudonym.
    role : {"read", "write"}
        Whether they may only look.
    ticket : str
        A word of chance of this login.
    """

    name: str
    role: Role
    ticket: str


class Tries:
    """Counts wrong tries by name and by address; each leak away after a while.

    Parameters
    ----------
    clock : callable
        Seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._wrong: dict[str, list[float]] = {}

    def wait_s(self, *keys: str) -> float:
        """Seconds until one more try is taken; 0 where it is taken now."""
        now = self._clock()
        longest = 0.0
        for key in keys:
            recent = [at for at in self._wrong.get(key, ()) if now - at < FORGIVEN_AFTER_S]
            if len(recent) >= TRIES:
                longest = max(longest, recent[-TRIES] + FORGIVEN_AFTER_S - now)
        return longest

    def wrong(self, *keys: str) -> None:
        """A try was wrong."""
        now = self._clock()
        for key in keys:
            recent = [at for at in self._wrong.pop(key, ()) if now - at < FORGIVEN_AFTER_S]
            self._wrong[key] = [*recent[-TRIES:], now]
            while len(self._wrong) > MOST_COUNTED:
                del self._wrong[next(iter(self._wrong))]


class Access:
    """Lets people in.

    Parameters
    ----------
    accounts : mapping of str to Account, or None
        Who may log in; None lets in whoever knows `key`, as somebody who may write.
    key : str
        What the printed address holds.
    clock : callable
        Seconds.
    """

    def __init__(
        self, *, accounts: Mapping[str, Account] | None, key: str, clock: Callable[[], float]
    ) -> None:
        self.accounts = accounts
        self._key = key
        secret = secrets.token_bytes(32)
        self._cookies = URLSafeTimedSerializer(secret, salt="hemostream cookie")
        self._tokens = URLSafeTimedSerializer(secret, salt="hemostream token")
        self._tries = Tries(clock)
        self._one_at_a_time = asyncio.Semaphore(1)

    def by_key(self, key: str) -> Visitor | None:
        """Whoever opens the printed address; None where the key is another, or accounts are asked for."""
        if self.accounts is not None or not self.knows_key(key):
            return None
        return Visitor("local", "write", secrets.token_hex(8))

    def knows_key(self, key: str) -> bool:
        """Whether it is the key."""
        return hmac.compare_digest(key.encode("utf-8", "replace"), self._key.encode())

    async def log_in(self, name: str, password: str, address: str) -> Visitor | float | None:
        """Try a password.

        Returns
        -------
        Visitor, float or None
            Who it is; or seconds to wait after too many tries; None where name or password is wrong.
        """
        keys = (f"name {name[:64]}", f"from {address}")
        # One at a time: each takes memory and a tenth of a second, and no two may pass the count together.
        async with self._one_at_a_time:
            if wait := self._tries.wait_s(*keys):
                return wait
            one = (self.accounts or {}).get(name)
            if not await asyncio.to_thread(matches, one, password):
                self._tries.wrong(*keys)
                return None
        assert one is not None
        return Visitor(one.name, one.role, secrets.token_hex(8))

    def cookie(self, visitor: Visitor) -> str:
        """What their browser keeps."""
        return str(self._cookies.dumps([visitor.name, visitor.role, visitor.ticket]))

    def who(self, cookie: str | None) -> Visitor | None:
        """Who a cookie is; None where it is none of ours, too old, or its account is gone or another."""
        if not cookie or len(cookie) > 1024:
            return None
        try:
            name, role, ticket = self._cookies.loads(cookie, max_age=LASTS_S)
        except (BadSignature, ValueError):
            return None
        if self.accounts is not None:
            one = self.accounts.get(name)
            if one is None or one.role != role:
                return None
        return Visitor(name, role, ticket)

    def token(self, visitor: Visitor) -> str:
        """What a page of this visitor sends with whatever it writes."""
        return str(self._tokens.dumps(visitor.ticket))

    def token_is_theirs(self, visitor: Visitor, token: str | None) -> bool:
        """Whether a request comes from a page of this visitor."""
        if not token or len(token) > 512:
            return False
        try:
            ticket = self._tokens.loads(token, max_age=LASTS_S)
        except BadSignature:
            return False
        return isinstance(ticket, str) and hmac.compare_digest(ticket.encode(), visitor.ticket.encode())
