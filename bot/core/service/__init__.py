"""What the image service is asked, how often, by which key, and what that costs."""
