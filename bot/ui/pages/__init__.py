"""Embeds and texts, made from data; nothing is sent here."""
