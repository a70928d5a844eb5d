"""Where pictures lie until they are delivered."""
