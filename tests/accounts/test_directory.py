"""Log-in by a real directory: who is let in, who isn't any more, and what happens when it can't be asked."""

from collections.abc import Iterator
from typing import Any

import pytest

from accounts.choices import Role
from accounts.models import User, UserSession
from guardia.ldap import ldap_is_installed, ldap_settings
from tests.accounts import slapd
from tests.accounts.slapd import PASSWORD, Directory
from tests.doors import api, assert_refused, browser
from tests.factories import PASSWORD as LOCAL
from tests.factories import make_institution, make_user
from tests.snapshot import nothing_changes

MISSING = slapd.is_there() or ("" if ldap_is_installed() else "the extra `ldap` is not installed (guardia[ldap])")
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("in_english"),
    pytest.mark.skipif(bool(MISSING), reason=MISSING),
]
TOKEN = "/api/v1/token/"


@pytest.fixture(scope="module")
def running() -> Iterator[Directory]:
    with slapd.running_directory() as directory:
        yield directory


@pytest.fixture
def directory(running: Directory, settings: Any) -> Iterator[Directory]:
    """Named in the settings as an institution would; up again after each test."""
    name_it(settings, running)
    yield running
    if running.process is None:
        running.start()


def name_it(settings: Any, directory: Directory, **changes: Any) -> None:
    given = {
        "url": f"ldap://127.0.0.1:{directory.port}",
        "bind_dn": slapd.READER,
        "bind_password": slapd.READER_SECRET,
        "user_base": f"ou=people,{slapd.BASE}",
        "user_filter": "(&(uid=%(user)s)(!(employeeType=left)))",
        "start_tls": True,
        "ca_file": str(directory.folder / "ca.pem"),
    }
    for name, value in ldap_settings(**{**given, **changes}).items():
        setattr(settings, name, value)
    settings.GUARDIA_LDAP_URL = given["url"]
    local = "django.contrib.auth.backends.ModelBackend"
    backends = [each for each in settings.AUTHENTICATION_BACKENDS if "directory" not in each]
    backends.insert(backends.index(local) + 1, "guardia.directory.DirectoryBackend")
    settings.AUTHENTICATION_BACKENDS = backends


def known(username: str, **fields: Any) -> User:
    """Somebody with an account here whose password is the directory's."""
    user = make_user(Role.PM, make_institution(), username=username, **fields)
    user.set_unusable_password()
    user.save()
    return user


def log_in(username: str, password: str) -> Any:
    return browser().post("/login/", {"username": username, "password": password})


def test_the_directory_says_who_it_is_and_the_roles_are_ours(directory: Directory) -> None:
    user = known("kim.dir")
    client = browser()
    assert client.post("/login/", {"username": "kim.dir", "password": PASSWORD}).status_code == 302
    assert client.get("/").status_code == 200 and client.get("/admin/").status_code == 200
    assert UserSession.objects.get(user=user).ended_at is None
    given = {"username": "KIM.dir", "password": PASSWORD}  # a directory doesn't tell them apart
    assert api().post(TOKEN, given, format="json").status_code == 200
    assert not User.objects.get(pk=user.pk).has_usable_password()


REFUSED = ["left.dir", "locked.dir", "stranger.dir", "nobody.dir"]


@pytest.mark.parametrize("name", REFUSED)
def test_who_left_is_locked_or_has_no_account_here_is_not_let_in(directory: Directory, name: str) -> None:
    if name != "stranger.dir":
        known(name)
    assert log_in(name, PASSWORD).status_code == 200
    assert_refused(api().post(TOKEN, {"username": name, "password": PASSWORD}, format="json"), 401, "no_active_account")
    assert not UserSession.objects.exists() and User.objects.filter(username="stranger.dir").count() == 0


def test_what_is_disabled_here_stays_so(directory: Directory) -> None:
    user = known("kim.dir")
    client = browser()
    client.post("/login/", {"username": "kim.dir", "password": PASSWORD})
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert client.get("/").status_code == 302
    assert log_in("kim.dir", PASSWORD).status_code == 200 and UserSession.objects.count() == 1


@pytest.mark.parametrize(
    "name",
    ["*", "kim*", "kim.dir)(uid=*", "*)(objectClass=*", "kim.dir)(|(uid=*", "\\2a", "kim.dir\x00", "k\u0131m.dir"],
)
def test_a_name_is_no_filter(directory: Directory, name: str) -> None:
    known("kim.dir")
    for password in (PASSWORD, "", "wrong"):
        assert log_in(name, password).status_code == 200, password
        assert api().post(TOKEN, {"username": name, "password": password}, format="json").status_code in (400, 401)
    assert not UserSession.objects.exists()


def test_an_empty_password_is_no_anonymous_bind(directory: Directory) -> None:
    known("kim.dir")
    assert log_in("kim.dir", "").status_code == 200 and log_in("kim.dir", " ").status_code == 200
    assert not UserSession.objects.exists()


def test_wrong_passwords_lock_out_as_everywhere(directory: Directory) -> None:
    known("kim.dir")
    for name in ("kim.dir", "KIM.DIR", "Kim.Dir", "kim.dir ", "kim.dir"):
        assert log_in(name, "wrong").status_code in (200, 429)
    assert log_in("kim.dir", PASSWORD).status_code == 429


def test_while_it_is_away_local_accounts_log_in_and_nobody_is_locked_out(directory: Directory) -> None:
    user, admin = known("kim.dir"), make_user(is_superuser=True, username="local.admin")
    directory.stop()
    with nothing_changes():
        for _number in range(6):
            page = log_in("kim.dir", PASSWORD).content.decode()
            assert "The directory can&#x27;t be reached now." in page
        given = {"username": "kim.dir", "password": PASSWORD}
        assert_refused(api().post(TOKEN, given, format="json"), 503, "directory_away")
    assert log_in(admin.username, LOCAL).status_code == 302
    # but the outage is no time to try passwords that are kept here
    for _number in range(5):
        log_in(admin.username, "wrong")
    assert log_in(admin.username, LOCAL).status_code == 429
    directory.start()
    assert log_in(user.username, PASSWORD).status_code == 302


def test_a_directory_with_another_certificate_gets_no_password(directory: Directory, settings: Any) -> None:
    known("kim.dir")
    name_it(settings, directory, ca_file="/etc/ssl/certs/ca-certificates.crt")
    assert "can&#x27;t be reached" in log_in("kim.dir", PASSWORD).content.decode()
    name_it(settings, directory, bind_password="wrong")
    assert "can&#x27;t be reached" in log_in("kim.dir", PASSWORD).content.decode()


def test_the_directorys_password_is_not_changed_here(directory: Directory) -> None:
    user = known("kim.dir")
    client = browser()
    client.post("/login/", {"username": "kim.dir", "password": PASSWORD})
    new = {"old": PASSWORD, "new": "Tn4$hVb9&xLd", "again": "Tn4$hVb9&xLd"}
    with nothing_changes():
        page = client.post("/account/password/", new)
    assert page.status_code == 400 and "directory" in page.content.decode()
    assert not User.objects.get(pk=user.pk).has_usable_password()
