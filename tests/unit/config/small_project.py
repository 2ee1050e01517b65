"""A small project that is right as it stands."""

BASE = """\
app = "agentic"
compose = "../compose.yaml"

[services.api]
roles = ["web"]
port = 8000
routes = ["*"]

[services.redis]
stateful = true
roles = ["data"]
"""
STAGING = """\
[hosts.staging1]
address = "10.0.0.1"
roles = ["web", "data"]
"""
