"""What a refusal of an image service means: its words, its codes, its waiting times."""
