"""One interaction: who asks, answering within three seconds, the one error path."""
