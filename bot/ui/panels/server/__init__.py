"""The panel of `/settings open`, its presets, and the buttons under answers of `/settings`."""
