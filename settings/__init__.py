"""How the house is told what to do: one TOML file, environment variables over it, and the command line over both.

Each room describes its own section as a frozen :class:`msgspec.Struct`; this room reads a file into such
structs and refuses what it does not understand. It knows no section by name.
"""
