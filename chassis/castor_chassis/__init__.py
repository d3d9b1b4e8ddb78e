"""How a CASTOR service runs, never what one does.

from castor_chassis import ServiceSettings, create_service, main, ok, require
"""

from castor_chassis.background.batcher import Batcher
from castor_chassis.background.child_process import ChildLate, ChildLost, ChildProcess
from castor_chassis.background.feed import FeedPage, FeedReader, FeedSettings, feed_operation, follow
from castor_chassis.background.lease import run_under_lease
from castor_chassis.background.supervisor import every
from castor_chassis.background.wakeup import Broadcast, Wakeup
from castor_chassis.client.peer import Peer, PeerPolicy, Reply
from castor_chassis.context import RequestInfo, current_request, set_request
from castor_chassis.security.authorization import ApiKeyVerifier, Principal, client_address, public, require
from castor_chassis.security.jwt import Claims, KeySource, TokenVerifier
from castor_chassis.service.app import Chassis, create_service
from castor_chassis.service.health import Gate, Health
from castor_chassis.service.idempotency import Once
from castor_chassis.service.main import main
from castor_chassis.service.resources import provided
from castor_chassis.settings import HeaderSecret, HttpAddress, ServiceSettings, fits_a_header, reveal
from castor_chassis.storage.cache import Cache
from castor_chassis.storage.model_artifacts import ModelArtifactError, ModelFolder
from castor_chassis.storage.postgres import Postgres, affected_rows
from castor_chassis.storage.redis import REDIS_AWAY, redis_optional
from castor_chassis.text.folding import fold, normal_form, normalise, unescape
from castor_chassis.wire.envelope import (
    Items,
    Meta,
    Ok,
    Page,
    RequestModel,
    ResponseModel,
    decode_cursor,
    encode_cursor,
    ok,
    page,
)
from castor_chassis.wire.errors import (
    Conflict,
    DatabaseUnavailable,
    ErrorBody,
    Forbidden,
    IdempotencyInFlight,
    Invalid,
    NotFound,
    Overloaded,
    PeerError,
    PeerRejected,
    PeerTimeout,
    PeerUnavailable,
    RateLimited,
    ServiceError,
    Unauthenticated,
    Unavailable,
    errors_of,
)
from castor_chassis.wire.fields import (
    NO_NULL,
    Composed,
    ComposedText,
    Identifier,
    Integer,
    JsonObject,
    Number,
    Pattern,
    Text,
    Timestamp,
    normal_time,
)
from castor_chassis.wire.paging import Cursor, Order, Paged, Row
from castor_chassis.wire.windows import (
    ANY_TIME,
    DAYS_OF,
    SINCE,
    UNTIL,
    Since,
    SinceDay,
    SinceQuery,
    TimeSpan,
    Until,
    UntilDay,
    UntilQuery,
    check_span,
)

__all__ = [
    "ANY_TIME",
    "DAYS_OF",
    "NO_NULL",
    "REDIS_AWAY",
    "SINCE",
    "UNTIL",
    "ApiKeyVerifier",
    "Batcher",
    "Broadcast",
    "Cache",
    "Chassis",
    "ChildLate",
    "ChildLost",
    "ChildProcess",
    "Claims",
    "Composed",
    "ComposedText",
    "Conflict",
    "Cursor",
    "DatabaseUnavailable",
    "ErrorBody",
    "FeedPage",
    "FeedReader",
    "FeedSettings",
    "Forbidden",
    "Gate",
    "HeaderSecret",
    "Health",
    "HttpAddress",
    "IdempotencyInFlight",
    "Identifier",
    "Integer",
    "Invalid",
    "Items",
    "JsonObject",
    "KeySource",
    "Meta",
    "ModelArtifactError",
    "ModelFolder",
    "NotFound",
    "Number",
    "Ok",
    "Once",
    "Order",
    "Overloaded",
    "Page",
    "Paged",
    "Pattern",
    "Peer",
    "PeerError",
    "PeerPolicy",
    "PeerRejected",
    "PeerTimeout",
    "PeerUnavailable",
    "Postgres",
    "Principal",
    "RateLimited",
    "Reply",
    "RequestInfo",
    "RequestModel",
    "ResponseModel",
    "Row",
    "ServiceError",
    "ServiceSettings",
    "Since",
    "SinceDay",
    "SinceQuery",
    "Text",
    "TimeSpan",
    "Timestamp",
    "TokenVerifier",
    "Unauthenticated",
    "Unavailable",
    "Until",
    "UntilDay",
    "UntilQuery",
    "Wakeup",
    "affected_rows",
    "check_span",
    "client_address",
    "create_service",
    "current_request",
    "decode_cursor",
    "encode_cursor",
    "errors_of",
    "every",
    "feed_operation",
    "fits_a_header",
    "fold",
    "follow",
    "main",
    "normal_form",
    "normal_time",
    "normalise",
    "ok",
    "page",
    "provided",
    "public",
    "redis_optional",
    "require",
    "reveal",
    "run_under_lease",
    "set_request",
    "unescape",
]
