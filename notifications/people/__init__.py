"""Who may do what: users, their roles on each site, and how they prove who they are."""
