"""
Spans come in: OTLP over HTTP, `POST /v1/traces`, in protobuf and in JSON, plain or gzip.

By its specification (opentelemetry-proto 1.11, docs/specification.md): the answer has the request's type; an
error is a `google.rpc.Status`; what is refused of an otherwise good request is told as partial success, and
never sent again; 429 with `Retry-After` asks to send again. Nothing is acknowledged before it is remembered.
"""

from firedamp.contracts.otlp.receiving import Intake, Most, Receiver

__all__ = ["Intake", "Most", "Receiver"]
