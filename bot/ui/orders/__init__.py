"""From what was typed or pressed to a job under way."""
