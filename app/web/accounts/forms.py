"""The forms of signing up, signing in and the settings."""

from flask_babel import lazy_gettext as _
from wtforms import BooleanField, PasswordField, StringField
from wtforms.widgets import TextInput

from app.domain.errors import InvalidInput
from app.i18n import gettext
from app.web.forms import Form


class LoginForm(Form):
    """Nickname and password."""

    nickname = StringField(_("닉네임"))
    password = PasswordField(_("비밀번호"))
    remember = BooleanField(_("이 기기에서 로그인 유지하기"))


class _NewPassword(Form):
    """A password, typed twice."""

    password = PasswordField(_("비밀번호"))
    password_again = PasswordField(_("비밀번호 한 번 더"))

    def chosen_password(self) -> str:
        """The password, or raise InvalidInput where the two differ."""
        if self.password.data != self.password_again.data:
            raise InvalidInput("password_again", "password_mismatch")
        return self.password.data or ""


class SignupForm(_NewPassword):
    """A nickname and a password."""

    nickname = StringField(_("닉네임"))


class NicknameForm(Form):
    """Another nickname."""

    nickname = StringField(_("닉네임"))


class FirstPasswordForm(_NewPassword):
    """A password for somebody who signs in without one."""


class PasswordForm(_NewPassword):
    """The password until now, and the new one."""

    old_password = PasswordField(_("지금 비밀번호"))
    password = PasswordField(_("새 비밀번호"))
    password_again = PasswordField(_("새 비밀번호 한 번 더"))


class LeaveForm(Form):
    """The proof that it is one's own account: the password or, without one, the nickname."""

    confirmation = PasswordField(_("지금 비밀번호"))

    def ask_for_nickname(self) -> None:
        """For people who sign in without a password: what they type is no secret."""
        self.confirmation.label.text = gettext("지금 닉네임")
        self.confirmation.widget = TextInput()
