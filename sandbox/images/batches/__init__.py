"""The Files and the Batch API: pictures at half price, some time within 24 hours."""
