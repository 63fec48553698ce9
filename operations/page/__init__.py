"""The page ``/console/ops``: how the node does, with an hour of history, for those who look after it."""
