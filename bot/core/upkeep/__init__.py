"""What time does: retention, forgetting, models that end."""
