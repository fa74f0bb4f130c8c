"""RULES: values in, values out; nothing here knows of a database, a socket or a clock."""
