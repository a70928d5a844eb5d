"""The chat completions of the image service: it describes pictures and rewrites prompts, as far as a program can."""
