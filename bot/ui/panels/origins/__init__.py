"""What the menu *Where is this from?* answers."""
