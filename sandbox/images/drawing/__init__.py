"""The sample pictures: scenes, captions, and their encoding; knows nothing of HTTP."""
