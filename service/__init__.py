"""What both processes share: settings, events, the event log, the queue, the projection."""
