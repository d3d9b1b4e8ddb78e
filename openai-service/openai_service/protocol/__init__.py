"""The OpenAI wire protocol: messages, server-sent events, errors of the SDK."""
