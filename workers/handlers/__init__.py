"""The handlers: one event in, its facts out. Pure: no store, no queue, no clock."""

from workers.handlers import customers, payment_methods, reads, silent, sources
from workers.handlers.registry import UnprojectableError, facts_of, handled_types, handles

__all__ = [
    "UnprojectableError",
    "customers",
    "facts_of",
    "handled_types",
    "handles",
    "payment_methods",
    "reads",
    "silent",
    "sources",
]
