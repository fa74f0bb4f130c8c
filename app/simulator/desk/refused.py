"""Refusals of the signed side: a status, and a name that clients branch on."""


class Refused(Exception):
    """A signed request the exchange refuses."""

    def __init__(self, status: int, name: str, message: str = "") -> None:
        super().__init__(name)
        self.status = status
        self.name = name
        self.message = message or name.replace("_", " ")
