"""What schemathesis lacks: it does not know how lines of JSON are sent."""

import json

import schemathesis


@schemathesis.serializer("application/x-ndjson")
def ndjson(ctx, value):
    records = value if isinstance(value, list) else [value]
    return "\n".join(json.dumps(record) for record in records).encode()
