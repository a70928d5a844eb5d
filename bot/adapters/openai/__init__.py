"""The image service: the only package that imports the OpenAI SDK."""
