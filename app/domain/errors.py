"""The errors that rules raise; each carries a stable code that every face translates."""


class AppError(Exception):
    """A refusal that a person can understand and act on.

    `code` is the contract: faces look the sentence up by it. `params` fill the sentence in.
    """

    code = "error"

    def __init__(self, **params: object) -> None:
        self.params = params
        super().__init__(self.code, params)


class InvalidInput(AppError):
    """A value that can't be right. `field` names the place, `code` says what is wrong."""

    def __init__(self, field: str, code: str, **params: object) -> None:
        self.field = field
        self.code = code
        super().__init__(**params)


class NotFound(AppError):
    """What was asked for isn't there, or isn't for this person."""

    code = "not_found"


class Conflict(AppError):
    """The deed doesn't fit the present state; a subclass or `code` says why."""

    def __init__(self, code: str, **params: object) -> None:
        self.code = code
        super().__init__(**params)
