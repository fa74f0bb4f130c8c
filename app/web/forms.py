"""What forms and addresses share: numbers from the address, refusals beside the field."""

from flask import request
from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict

from app.domain.errors import AppError, InvalidInput
from app.messages import message

_LARGEST_ID = 2**63 - 1


class Form(FlaskForm):  # type: ignore[misc]
    """A form with its token; the rules are the domain's and are put beside the fields."""

    class Meta(FlaskForm.Meta):  # type: ignore[misc]
        """Fields are texts: a file or JSON that comes in place of one is nothing at all."""

        def wrap_formdata(self, form: FlaskForm, formdata: object) -> MultiDict[str, str] | None:
            """What was typed, or None where nothing was, or `formdata=None` wants none of it."""
            wanted = formdata is not None and form.is_submitted()
            return (request.form or None) if wanted else None

    def refuse(self, error: AppError, field: str = "") -> None:
        """Say why a deed was refused: at `field`, at the error's own one, else above the form."""
        place = error.field if isinstance(error, InvalidInput) else field
        sentence = message(error.code, error.params)
        if place in self:
            self[place].errors = [*self[place].errors, sentence]
        else:
            self.form_errors.append(sentence)


def row_id(name: str) -> int | None:
    """The id under `name` in the address, or None where there is none that could be."""
    wanted = request.args.get(name, type=int)
    return wanted if wanted is not None and 0 < wanted <= _LARGEST_ID else None
