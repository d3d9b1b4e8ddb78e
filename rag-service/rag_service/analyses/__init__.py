"""Analyses that other services stored, told before what people say where a question asks for them."""
