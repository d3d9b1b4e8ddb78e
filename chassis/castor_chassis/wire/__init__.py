"""What crosses the wire: envelope, errors, fields, OpenAPI."""
