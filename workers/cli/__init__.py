"""The operators' command line, `onfile`."""
