"""Every sentence people read, in their language."""
