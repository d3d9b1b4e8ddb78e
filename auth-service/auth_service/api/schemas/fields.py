"""Types of fields that several wire models share."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, StrictBool, StringConstraints

from auth_service.crypto.password_policy import MAX_CHARACTERS, MIN_CHARACTERS
from castor_chassis import ComposedText, Integer, Pattern, Text

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"


def _no_encoded_word(email: str) -> str:
    # A reader of RFC 2047 decodes =?utf-8?q?ana?=@example.org, so that a mail to it goes to ana@example.org or nowhere.
    if "=?" in email:
        raise ValueError("must not contain =?, which begins an encoded word in a mail")
    return email


# The valid e-mail address of the WHATWG HTML standard, with a dot required in the domain and without encoded words.
Email = Annotated[
    str,
    StringConstraints(max_length=254),
    Pattern(
        rf"^[A-Za-z0-9.!#$%&'*+/=?^_`{{|}}~-]{{1,64}}@{_LABEL}(?:\.{_LABEL})+$",
        "must be an address such as ana@example.org, without accents",
    ),
    AfterValidator(_no_encoded_word),
    Field(json_schema_extra={"not": {"pattern": r"=\?"}}),
]
UUID_TEXT = Pattern(
    r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$",
    "must be a UUID such as 123e4567-e89b-12d3-a456-426614174000",
)


def _not_one_character_repeated(password: str) -> str:
    # The contract says so, hence it is refused here and not by the password policy.
    if password and password == password[0] * len(password):
        raise ValueError("the password repeats one character; choose several unrelated words")
    return password


Password = Annotated[Text, Field(min_length=1, max_length=MAX_CHARACTERS, json_schema_extra={"format": "password"})]
NewPassword = Annotated[
    Text,
    Field(
        min_length=MIN_CHARACTERS,
        max_length=MAX_CHARACTERS,
        json_schema_extra={"format": "password", "not": {"pattern": r"^(.)\1*$"}},
        description="Not the e-mail address, not one of the most common passwords, not one character repeated.",
    ),
    AfterValidator(_not_one_character_repeated),
]
RevokeKeys = Annotated[StrictBool, Field(description="Whether one's API keys end as well.")]
RemovePasskeys = Annotated[StrictBool, Field(description="Whether one's passkeys are removed as well.")]
Name = Annotated[ComposedText, Field(min_length=1, max_length=120)]
Id = Annotated[str, BeforeValidator(str)]
OpaqueToken = Annotated[str, Field(min_length=1, max_length=512)]
Code = Annotated[
    str,
    Pattern(r"^[0-9A-Za-z -]{6,40}$", "must be six digits, or a recovery code of letters, digits and hyphens"),
    Field(description="Six digits of the authenticator app, or a recovery code."),
]
# The bounds once more, by the names of JSON Schema: for a validated integer pydantic would publish "ge" and "le".
Days = Annotated[Integer, Field(ge=1, le=366, json_schema_extra={"minimum": 1, "maximum": 366})]
Grace = Annotated[Integer, Field(ge=0, le=604_800, json_schema_extra={"minimum": 0, "maximum": 604_800})]
