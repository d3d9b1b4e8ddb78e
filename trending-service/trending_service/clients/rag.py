"""Client of rag-service: stores analyses, and erases them."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from castor_chassis import Peer, PeerRejected
from castor_chassis.client.operation import Operation

DOCUMENTS = "/v1/rag/documents"
DOCUMENT = "/v1/rag/documents/{document_id}"
NOT_FOUND, UNUSABLE = 404, 422


class Stored(BaseModel):
    """The ids of the documents, as they were sent."""

    ids: list[str]


OPERATIONS = (
    Operation("POST", DOCUMENTS, ("documents", "organisation"), Stored),
    Operation("DELETE", DOCUMENT, ("organisation",)),
)


class RagClient:
    """Stores documents. Has no fallback: what cannot be stored now waits. Raises the chassis's ``PeerError``."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    async def store(self, document: dict[str, Any], organisation: str) -> bool:
        """Store a document for an organisation; the same id again replaces it.

        False when rag-service says that it cannot be used (422), as it would each time.
        """
        body = {"documents": [document], "organisation": organisation}
        try:
            await self._peer.post(DOCUMENTS, json=body, idempotent=True)
        except PeerRejected as error:
            # A token that auth-service refuses says nothing of the document.
            if error.details["peer"] != self._peer.name or error.peer_status != UNUSABLE:
                raise
            return False
        return True

    async def erase(self, document_id: str, organisation: str) -> None:
        """Erase a document of an organisation that this service stored; one that is not there is erased."""
        path = DOCUMENT.format(document_id=document_id)
        try:
            await self._peer.request("DELETE", path, params={"organisation": organisation})
        except PeerRejected as error:
            if error.peer_status != NOT_FOUND:
                raise
