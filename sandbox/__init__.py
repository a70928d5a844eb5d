"""A Discord and an image service on this machine, for newcomers and for tests of any bot. Law: never imports one."""
