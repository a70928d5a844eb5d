"""The other side of every measurement, in processes of its own: a Discord and an image service, as cheap as can be."""
