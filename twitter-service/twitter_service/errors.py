"""What can go wrong here, as callers see it."""

from __future__ import annotations

from castor_chassis import Conflict, Invalid, NotFound, ServiceError


class TweetNotFound(NotFound):
    """No tweet has this id."""

    code = "tweet_not_found"
    message = "No tweet has the id {tweet_id}; list them with GET /v1/twitter/tweets."


class AuthorNotFound(NotFound):
    """No stored tweet is by this author."""

    code = "author_not_found"
    message = "No stored tweet is by @{username}; GET /v1/twitter/tweets shows whose are."


class EntityNotFound(NotFound):
    """No entity has this id."""

    code = "entity_not_found"
    message = "No entity has the id {entity_id}; list them with GET /v1/twitter/entities."


class PlaceNotFound(NotFound):
    """No department or city has this slug."""

    code = "place_not_found"
    message = "No department or city of Colombia has the slug {place} here; slugs are like antioquia or santa-marta."


class DatasetNotFound(NotFound):
    """No import has named this data set."""

    code = "dataset_not_found"
    message = "No data set has the name {dataset}; list them with GET /v1/twitter/datasets."


class ImportNotFound(NotFound):
    """No import has this id."""

    code = "import_not_found"
    message = "No import has the id {import_id}; POST /v1/twitter/imports answers with one."


class EntityExists(Conflict):
    """An entity has this id already."""

    code = "entity_exists"
    message = "An entity with the id {entity_id} exists already; change it with PATCH, or choose another id."


class TooManyEntities(Conflict):
    """As many entities are tracked as the settings allow."""

    code = "too_many_entities"
    message = "{limit} entities are tracked already; delete one first."


class EmptyImport(Invalid):
    """The file has no tweet in it."""

    code = "import_empty"
    field = "body"
    message = "The file holds no tweets; send a CSV with a header and rows, or JSON Lines with one object per line."


class NotUtf8(Invalid):
    """The file is not UTF-8."""

    code = "import_not_utf8"
    field = "body"
    message = (
        "Line {line} is not UTF-8; save the file as UTF-8 and send it again, or send it with encoding=windows-1252 "
        "(what came before that line may be stored already and will count as duplicates)."
    )


class NotUtf16(Invalid):
    """The file is not UTF-16."""

    code = "import_not_utf16"
    field = "body"
    message = "The file is not whole UTF-16; save it as UTF-8 and send it again."


class BrokenArchive(Invalid):
    """The archive cannot be unpacked."""

    code = "import_broken_archive"
    field = "body"
    message = "The zip archive cannot be read ({why}); make it again, or send the file without it."


class ArchiveNotSingle(Invalid):
    """The archive holds several files, or none."""

    code = "import_archive_not_single"
    field = "body"
    message = "The zip archive holds {files} files; send each file by itself, or an archive of exactly one."


class BrokenWorkbook(Invalid):
    """The workbook cannot be read."""

    code = "import_broken_workbook"
    field = "body"
    message = "The workbook cannot be read ({why}); save its sheet as CSV in UTF-8 and send that."


class BadForm(Invalid):
    """A form is not one file."""

    code = "import_bad_form"
    field = "body"
    message = "The form {what}; send exactly one file in it, and everything else as parameters of the query."


class UnsupportedFile(ServiceError):
    """The Content-Type is none of a file of tweets."""

    status = 415
    code = "unsupported_media_type"
    message = (
        "A file of type {content_type} is not taken; send a table (text/csv, text/tab-separated-values, .xlsx), JSON "
        "(application/json, application/x-ndjson), one of them compressed (application/gzip, application/zip), any of "
        "them as application/octet-stream, or in a form (multipart/form-data)."
    )


class DatabaseFile(Invalid):
    """The file is a database."""

    code = "import_database_file"
    field = "body"
    message = (
        "The file is a database of SQLite, not a table; write the table of tweets to a file first: "
        'sqlite3 -header -csv FILE "SELECT * FROM tweets" > tweets.csv'
    )


class MissingColumns(Invalid):
    """The header lacks a column that is needed."""

    code = "import_missing_columns"
    field = "body"
    message = (
        "The header lacks the column(s) {missing}; a CSV needs id, username, created_at, text. It has: {header}. "
        "Say which is which with columns=id:HEADER,username:HEADER."
    )


class RepeatedColumn(Invalid):
    """A column that is needed stands twice in the header."""

    code = "import_repeated_column"
    field = "body"
    message = "The column {column} stands twice in the header; rename one, or choose another with columns=."


class BadColumns(Invalid):
    """The parameter ``columns`` cannot be read."""

    code = "import_bad_columns"
    field = "query.columns"
    message = "columns has {part!r} where FIELD:HEADER is needed; the fields are {fields}."


class BrokenGzip(Invalid):
    """The file begins like gzip and is not."""

    code = "import_broken_gzip"
    field = "body"
    message = "The file is not whole gzip ({why}); pack and send it again: nothing is stored twice."


class UnpackedTooLarge(Invalid):
    """The unpacked file is larger than allowed."""

    code = "import_unpacked_too_large"
    field = "body"
    message = "The file unpacks to more than {limit} bytes; send it in parts."


class UploadBroken(Invalid):
    """The sender went away before the end of the file."""

    code = "import_upload_broken"
    field = "body"
    message = "The connection broke before the end of the file; send it again: the import goes on from where it was."


class ImportDiffers(Conflict):
    """The file begins like one whose import broke off, and then differs."""

    code = "import_differs"
    message = (
        "The file begins like that of the import {import_id}, which broke off after {offset} bytes, but is "
        "another one; send it with resume=false."
    )


class ImportTakenOver(Conflict):
    """The import made no progress for so long that the same file, sent again, has gone on with it."""

    code = "import_taken_over"
    message = (
        "The same file was sent again while this upload made no progress, and the import {import_id} goes on with "
        "that; ask for it under its id."
    )


class BudgetSpent(ServiceError):
    """The budget for reading X does not cover this."""

    status = 402
    code = "budget_spent"
    message = (
        "The {period} budget of {scope} covers {left} {unit} more and this may take {needed}; "
        "ask for less, or wait until {resets_at}."
    )


class SearchNotFound(NotFound):
    """No search has this id."""

    code = "search_not_found"
    message = "No search has the id {search_id}; POST /v1/twitter/searches answers with one."


class CollectionNotFound(NotFound):
    """No collection has this id."""

    code = "collection_not_found"
    message = "No collection has the id {collection_id}; list them with GET /v1/twitter/collections."


class CollectionExists(Conflict):
    """A collection has this id already."""

    code = "collection_exists"
    message = "A collection with the id {collection_id} exists already; delete it first, or choose another id."
