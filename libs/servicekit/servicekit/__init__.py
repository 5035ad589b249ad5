"""What the services share: settings, logs, errors, the ASGI frame, and one small module per backend."""
