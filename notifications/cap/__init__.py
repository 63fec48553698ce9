"""The Common Alerting Protocol 1.2 (OASIS), in and out."""
