"""Errors of rag-service."""

from __future__ import annotations

from castor_chassis import Conflict, Forbidden, Invalid, NotFound, Overloaded, ServiceError


class DocumentNotFound(NotFound):
    """No document has this id."""

    code = "document_not_found"
    message = "No document has the id '{document_id}'; POST /v1/rag/search finds what is stored."


class FilterUnknown(Invalid):
    """No document has the entity, place, axis or data set of a filter."""

    code = "filter_unknown"
    message = "No document has the {kind} '{name}'; leave the filter out, or ask twitter-service which there are."


class ReservedId(Forbidden):
    """Tweets are the feed's, and passages their file's: nobody else may put words into their mouth, or erase them."""

    code = "reserved_id"
    message = (
        "The document '{document_id}' poses by its id, source or author as one that the server names, or is one. "
        "Tweets are the feed's and passages their file's, which DELETE /v1/rag/files/{{id}} erases; choose an id that "
        "begins with neither 'tweet:' nor 'file:' and is not that of another content, and plain Latin names."
    )


class NotForYourRoles(Forbidden):
    """A document that the caller's roles may not read can neither be made nor replaced."""

    code = "not_for_your_roles"
    message = "A document of this request is for other roles than yours; name one of yours in 'readers', or another id."


class ReservedOrganisation(Forbidden):
    """The caller's organisation is called as the background work is, which reads those of all."""

    code = "reserved_organisation"
    message = "No organisation can be called '{name}'; ask the administrators of your organisation to rename it."


class NotYourOrganisation(Forbidden):
    """Only services of the system store documents for an organisation that they name."""

    code = "not_your_organisation"
    message = "You store documents for your own organisation, not for '{name}'; leave 'organisation' out."


class ConversationNotFound(NotFound):
    """The caller has no conversation with this id."""

    code = "conversation_not_found"
    message = "You have no conversation with the id '{conversation_id}'; GET /v1/rag/conversations lists yours."


class ConversationFull(Conflict):
    """A conversation holds no more turns."""

    code = "conversation_full"
    message = "A conversation has at most {limit} questions; begin another one."


class TooManyConversations(Conflict):
    """The caller has as many conversations as one may have."""

    code = "too_many_conversations"
    message = "One caller has at most {limit} conversations; erase some first."


class FileNotFound(NotFound):
    """The organisation has no file with this id."""

    code = "file_not_found"
    message = "Your organisation has no file with the id '{file_id}'; GET /v1/rag/files lists them."


class FileStoredOtherwise(Conflict):
    """The same content of the same source is stored with something else said of it."""

    code = "file_stored_otherwise"
    message = (
        "This file is stored already as '{file_id}', with another value of: {fields}. Send what is stored, or "
        "DELETE /v1/rag/files/{file_id} and send it again."
    )


class FileUnreadable(Invalid):
    """A file of which no text can be had."""

    code = "file_unreadable"
    message = "The file cannot be read: {reason}."


class EmptyFile(Invalid):
    """A request without a body."""

    code = "empty_file"
    field = "body"
    message = "The body is empty; send the file itself as the body."


class UnknownMediaType(ServiceError):
    """A kind of file that is not read."""

    status = 415
    code = "unknown_media_type"
    message = "Files of the type '{media_type}' are not read; send one of {known} as Content-Type."


class UploadBroken(ServiceError):
    """The sender went away before the end of the file."""

    status = 400
    code = "upload_broken"
    message = "The file did not arrive whole; send it again."


class TooManyFiles(Overloaded):
    """So many files of the organisation wait that no more are taken."""

    code = "too_many_files"
    message = "At most {limit} files of an organisation wait to be read; try again as Retry-After says."


class DuplicateIds(Conflict):
    """One request names the same document twice."""

    code = "duplicate_ids"
    message = "The id '{document_id}' occurs more than once in this request; send each document once."


class CursorMoved(Conflict):
    """Another replica has already stored this page of the feed."""

    code = "cursor_moved"
    message = "The cursor of feed '{feed}' is already at or beyond {cursor}: another replica stored this page."


class EmbeddingUnusable(ServiceError):
    """The encoder answered something that cannot be searched."""

    status = 502
    code = "embedding_unusable"
    message = "openai-service answered embeddings that cannot be used: {reason}."


class VectorNotFinite(EmbeddingUnusable):
    """A vector holds a value that is no finite number, which a text may be the reason of."""
