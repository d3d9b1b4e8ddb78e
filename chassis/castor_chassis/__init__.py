"""How a CASTOR service runs, never what one does.

from castor_chassis import ServiceSettings, create_service, main, ok, require
"""

from castor_chassis.background.batcher import Batcher
from castor_chassis.background.feed import FeedPage, FeedReader, FeedSettings, feed_operation, follow
from castor_chassis.background.lease import run_under_lease
from castor_chassis.background.wakeup import Broadcast, Wakeup
from castor_chassis.client.peer import Peer, PeerPolicy, Reply
from castor_chassis.context import RequestInfo, current_request, set_request
from castor_chassis.security.authorization import ApiKeyVerifier, Principal, client_address, public, require
from castor_chassis.security.jwt import Claims, KeySource, TokenVerifier
from castor_chassis.service.app import Chassis, create_service
from castor_chassis.service.health import Gate, Health
from castor_chassis.service.main import main
from castor_chassis.service.resources import provided
from castor_chassis.settings import HeaderSecret, HttpAddress, ServiceSettings, fits_a_header, reveal
from castor_chassis.storage.cache import Cache
from castor_chassis.storage.model_artifacts import ModelArtifactError, ModelFolder
from castor_chassis.storage.postgres import Postgres, affected_rows
from castor_chassis.storage.redis import REDIS_AWAY, redis_optional
from castor_chassis.text.folding import fold, normalise
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
    Composed,
    ComposedText,
    Identifier,
    Integer,
    JsonObject,
    Number,
    Text,
    Timestamp,
    normal_time,
)

__all__ = [
    "REDIS_AWAY",
    "ApiKeyVerifier",
    "Batcher",
    "Broadcast",
    "Cache",
    "Chassis",
    "Claims",
    "Composed",
    "ComposedText",
    "Conflict",
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
    "Overloaded",
    "Page",
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
    "ServiceError",
    "ServiceSettings",
    "Text",
    "Timestamp",
    "TokenVerifier",
    "Unauthenticated",
    "Unavailable",
    "Wakeup",
    "affected_rows",
    "client_address",
    "create_service",
    "current_request",
    "decode_cursor",
    "encode_cursor",
    "errors_of",
    "feed_operation",
    "fits_a_header",
    "fold",
    "follow",
    "main",
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
]
