"""How it is doing: the supervisor and its workers, figures, health, logs and the pages that show it at work."""
