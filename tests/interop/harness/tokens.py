"""Access tokens, made by LiveKit's own library and altered where a test needs what that refuses to make."""

import datetime
from dataclasses import dataclass
from typing import Any

import jwt
from livekit import api


@dataclass(frozen=True)
class Login:
    """A key of the server and its secret."""

    key: str
    secret: str

    def token(self, identity: str, room: str, **grants: Any) -> str:
        """Lets the identity join the room, with further grants of `api.VideoGrants`."""
        grant = api.VideoGrants(**{"room_join": True, "room": room, **grants})
        return api.AccessToken(self.key, self.secret).with_identity(identity).with_grants(grant).to_jwt()

    def expired(self, identity: str, room: str) -> str:
        """A token that was good until an hour ago."""
        claims = self._claims(self.token(identity, room))
        past = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=1)
        return self._sign(claims | {"nbf": past - datetime.timedelta(hours=1), "exp": past})

    def with_claims(self, token: str, **claims: Any) -> str:
        """The same token with more claims."""
        return self._sign(self._claims(token) | claims)

    def _claims(self, token: str) -> dict[str, Any]:
        return jwt.decode(token, self.secret, algorithms=["HS256"])

    def _sign(self, claims: dict[str, Any]) -> str:
        return jwt.encode(claims, self.secret, algorithm="HS256")
