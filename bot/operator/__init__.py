"""What the one who runs Easel does from a terminal. A file a command; heavy libraries are imported when one runs."""
