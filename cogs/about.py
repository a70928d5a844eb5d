"""``/help``, ``/about``, ``/privacy`` and ``/report``: about the bot itself."""

from __future__ import annotations

from discord import app_commands

from bot.ui.components.report import report_typed
from bot.ui.interactions.acknowledge import tell, tell_message
from bot.ui.interactions.who import asker_of
from bot.ui.pages.about import about_page, privacy_page
from bot.ui.panels.own.help import START, Example, complete_topic, help_message
from bot.ui.shell import HasShell, Interaction


@app_commands.command(name="help", description="How to use Easel, with examples")
@app_commands.describe(topic="Topic")
@app_commands.autocomplete(topic=complete_topic)
async def help_command(interaction: Interaction, topic: app_commands.Range[str, 1, 100] = START) -> None:
    """One topic, in private."""
    await tell_message(interaction, help_message(interaction, topic))


@app_commands.command(name="about", description="Version, source and support")
async def about(interaction: Interaction) -> None:
    """In private."""
    asker = asker_of(interaction)
    page = about_page(interaction.client.shell, asker.locale, in_server=asker.place.is_server)
    await tell(interaction, embed=page)


@app_commands.command(name="privacy", description="What is stored about you, and why")
async def privacy(interaction: Interaction) -> None:
    """In private."""
    await tell(interaction, embed=privacy_page(interaction.client.shell, str(interaction.locale)))


@app_commands.command(name="report", description="Report a picture to the moderators")
@app_commands.describe(message="Link of the message (or its id, when it is in this channel)", reason="What is wrong")
async def report_command(
    interaction: Interaction,
    message: app_commands.Range[str, 1, 200],
    reason: app_commands.Range[str, 1, 1000] = "",
) -> None:
    """To the server's log channel if there is one, else to the operator."""
    await report_typed(interaction, message, reason)


async def setup(client: HasShell) -> None:
    client.tree.add_command(help_command)
    client.add_dynamic_items(Example)
    client.tree.add_command(about)
    client.tree.add_command(privacy)
    client.tree.add_command(report_command)
