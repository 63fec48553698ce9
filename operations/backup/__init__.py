"""Everything worth keeping of an installation in one file, and back: ``loa backup`` and ``loa restore``."""
