"""HTTP as a web process speaks it: connections, requests and answers, whatever they are about."""
