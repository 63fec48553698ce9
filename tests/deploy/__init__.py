"""What lies in `deploy/`, held against the real programs it is for."""
