"""Pictures overnight: the Files and the Batch API."""
