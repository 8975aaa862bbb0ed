"""Keys of end-to-end encryption, in terms that every client has (protocol §5.8)."""

from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True)
class Change:
    """What becomes of one key; without an identity it is the one that all share."""

    index: int
    passphrase: str = ""
    """The new one; without it, the key at this index is replaced by the next of its chain."""
    identity: str | None = None


@dataclass(frozen=True)
class Keys:
    """What a client joins with. The last one set is what it encrypts with."""

    changes: tuple[Change, ...]
    ratchet_window: int = 8
    """How many steps of a publisher's ratchet are followed, where the client can be told."""

    @classmethod
    def shared(cls, passphrase: str, index: int = 0, **options: Any) -> Self:
        """One passphrase for everyone."""
        return cls((Change(index, passphrase),), **options)

    @classmethod
    def each_their_own(cls, own: tuple[str, str], others: dict[str, str]) -> Self:
        """One's own identity and passphrase, and those of others."""
        everyone = [*others.items(), own]
        return cls(tuple(Change(0, passphrase, identity) for identity, passphrase in everyone))

    @property
    def are_shared(self) -> bool:
        """Whether everyone has the same."""
        return self.changes[0].identity is None
