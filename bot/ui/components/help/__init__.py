"""Refusals help on: what would work instead, as buttons that do it, and reminders."""
