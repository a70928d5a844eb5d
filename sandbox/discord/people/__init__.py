"""What a person enters, as Discord's client lets them, in the shape an interaction carries."""
