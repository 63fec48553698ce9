"""The whole service as its users have it: `loa serve`, real browsers' wire, the command line, and what kills it."""
