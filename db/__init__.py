"""The store: one SQL database holds everything that was asked, answered, planned, spent and played."""
