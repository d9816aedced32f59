"""One file a system: its claim, what is unstated, and how it is fitted here."""
