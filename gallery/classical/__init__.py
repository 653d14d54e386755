"""Classical rates as special cases, and exact worst cases that others have published."""
