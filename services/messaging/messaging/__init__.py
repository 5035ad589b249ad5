"""Conversations, messages and their attachments."""
