"""A Discord and an image service on this machine, for newcomers and for tests. Law: never imports the bot."""
