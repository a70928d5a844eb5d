"""Names and descriptions of commands in other languages: whatever ``locales/`` has under ``command``."""

from __future__ import annotations

import discord
from discord import app_commands
from discord.app_commands import TranslationContextTypes

from bot.ui.words.catalogue import catalogue, language_of


class CatalogueTranslator(app_commands.Translator):
    """Looks the English text up: a language says ``"Make a picture" = "Mach ein Bild"`` under ``[command]``."""

    async def translate(
        self, string: app_commands.locale_str, locale: discord.Locale, context: TranslationContextTypes
    ) -> str | None:
        sentence = catalogue(language_of(locale.value)).get(f"command.{string.message}")
        return None if sentence is None else sentence.other
