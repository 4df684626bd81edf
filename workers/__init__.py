"""What happens to accepted events: handlers, facts, merge, answers; and the command line."""
