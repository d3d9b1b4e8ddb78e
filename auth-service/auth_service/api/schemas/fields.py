"""Types of fields that several wire models share."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, StrictBool, StringConstraints

from auth_service.crypto.password_policy import MAX_CHARACTERS, MIN_CHARACTERS
from castor_chassis import Integer

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"

# The valid e-mail address of the WHATWG HTML standard, with a dot required in the domain.
Email = Annotated[
    str,
    StringConstraints(pattern=rf"^[A-Za-z0-9.!#$%&'*+/=?^_`{{|}}~-]{{1,64}}@{_LABEL}(?:\.{_LABEL})+$", max_length=254),
]
# A pattern, unlike a validator, is part of the contract: PostgreSQL stores no null character.
NO_NULL = r"^[^\x00]*$"


def _not_one_character_repeated(password: str) -> str:
    # The contract says so, hence it is refused here and not by the password policy.
    if password and password == password[0] * len(password):
        raise ValueError("the password repeats one character; choose several unrelated words")
    return password


Password = Annotated[
    str, Field(pattern=NO_NULL, min_length=1, max_length=MAX_CHARACTERS, json_schema_extra={"format": "password"})
]
NewPassword = Annotated[
    str,
    Field(
        pattern=NO_NULL,
        min_length=MIN_CHARACTERS,
        max_length=MAX_CHARACTERS,
        json_schema_extra={"format": "password", "not": {"pattern": r"^(.)\1*$"}},
        description="Not the e-mail address, not one of the most common passwords, not one character repeated.",
    ),
    AfterValidator(_not_one_character_repeated),
]
RevokeKeys = Annotated[StrictBool, Field(description="Whether one's API keys end as well.")]
Name = Annotated[str, Field(pattern=NO_NULL, min_length=1, max_length=120)]
Id = Annotated[str, BeforeValidator(str)]
OpaqueToken = Annotated[str, Field(min_length=1, max_length=512)]
Code = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9A-Za-z -]{6,40}$"),
    Field(description="Six digits of the authenticator app, or a recovery code."),
]
# The bounds once more, by the names of JSON Schema: for a validated integer pydantic would publish "ge" and "le".
Days = Annotated[Integer, Field(ge=1, le=366, json_schema_extra={"minimum": 1, "maximum": 366})]
Grace = Annotated[Integer, Field(ge=0, le=604_800, json_schema_extra={"minimum": 0, "maximum": 604_800})]
