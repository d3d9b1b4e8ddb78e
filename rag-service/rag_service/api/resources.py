"""What the routes use."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import Depends

from castor_chassis import Principal, provided, require
from rag_service.analyses.service import AnswersWithAnalyses
from rag_service.conversations.service import ConversationService
from rag_service.documents.model import BACKGROUND, Access
from rag_service.documents.service import DocumentService
from rag_service.embeddings.repository import EmbeddingRepository
from rag_service.errors import NotYourOrganisation, ReservedOrganisation
from rag_service.files.service import FileService
from rag_service.retrieval.service import RetrievalService


@dataclass(frozen=True, slots=True)
class Resources:
    """The services behind the routes; made when the app starts."""

    documents: DocumentService
    retrieval: RetrievalService
    answers: AnswersWithAnalyses
    conversations: ConversationService
    files: FileService
    embeddings: EmbeddingRepository


DEFAULT_ORGANISATION = "default"


def access_of(principal: Principal) -> Access:
    """Return for whom a request reads and writes: the organisation of its caller, the default one without.

    Raises ``ReservedOrganisation``.
    """
    organisation = principal.org or DEFAULT_ORGANISATION
    if organisation == BACKGROUND.tenant:
        raise ReservedOrganisation(name=organisation)
    return Access(organisation, principal.roles, principal.label)


def access_for(principal: Principal, organisation: str | None) -> Access:
    """Return for whom a request writes: services may name any organisation, everybody else has their own.

    Raises ``NotYourOrganisation`` and ``ReservedOrganisation``.
    """
    own = access_of(principal)
    if organisation is None or organisation == own.tenant:
        return own
    if principal.kind != "service":
        raise NotYourOrganisation(name=organisation)
    return replace(own, tenant=organisation)


R = Annotated[Resources, provided(Resources)]
CanReadDocuments = Annotated[Principal, Depends(require("documents:read"))]
CanWriteDocuments = Annotated[Principal, Depends(require("documents:write"))]
CanQuery = Annotated[Principal, Depends(require("rag:query"))]
