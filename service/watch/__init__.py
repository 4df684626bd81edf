"""What Onfile tells of itself: log lines, meters, traces, notes on secrets and ignored types."""
