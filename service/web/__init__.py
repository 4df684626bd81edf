"""The web face: webhooks in, answers out. The only place that knows Starlette."""
