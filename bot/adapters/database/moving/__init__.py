"""Carrying a ledger whole from one database to another."""
