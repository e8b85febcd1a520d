"""The contract as an AsyncAPI 3.0 document, made from the registry: what flows where, what may be asked."""

from shared.asyncapi.document import commands, document

__all__ = ["commands", "document"]
