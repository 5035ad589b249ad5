"""Fan-out of `message.created` to the WebSocket subscribers of a conversation, and who is online."""
