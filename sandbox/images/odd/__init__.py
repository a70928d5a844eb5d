"""Pictures as few programs write them: made, to be sent as faults, and read, where they are uploaded."""
