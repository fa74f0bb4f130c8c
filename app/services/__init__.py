"""DEEDS: one function per deed; it loads, asks the domain, writes, in one transaction."""
