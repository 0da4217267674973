#!/usr/bin/env python3
# Django OAuth Toolkit as PyPI ships it, in the smallest Django project there can be. Refresh tokens rotate; an old one
# gets the same new pair for a grace period, and after it ends the whole family.

import os
import tempfile

import running

SCOPE = "climate:read climate:write"
# Django has the form but no page for it.
SIGN_IN = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Sign in</title>
<form method="post">{% csrf_token %}{{ form.as_p }}<button>Sign in</button></form></html>"""
# Django looks for these here.
urlpatterns = []


def configure(folder, base, options):
    """Django's settings; nothing here is a settings file."""
    from django.conf import settings
    settings.configure(
        SECRET_KEY="only for tests", DEBUG=False, ALLOWED_HOSTS=["127.0.0.1"], USE_TZ=True, ROOT_URLCONF=__name__,
        DATABASES={"default": {
            "ENGINE": "django.db.backends.sqlite3", "NAME": os.path.join(folder, "database"),
            "OPTIONS": {"timeout": 20, "transaction_mode": "IMMEDIATE"}}},
        INSTALLED_APPS=[
            "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions",
            "django.contrib.staticfiles", "oauth2_provider"],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware", "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware"],
        TEMPLATES=[{
            "BACKEND": "django.template.backends.django.DjangoTemplates", "OPTIONS": {"loaders": [
                ("django.template.loaders.locmem.Loader", {"registration/login.html": SIGN_IN}),
                "django.template.loaders.app_directories.Loader"]}}],
        # The cheapest hasher: there is one person and one secret, both known to everybody.
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        LOGGING={
            "version": 1, "disable_existing_loggers": False, "handlers": {
                "errors": {"class": "logging.StreamHandler", "level": "ERROR"}}, "root": {"handlers": ["errors"]}},
        STATIC_URL="/static/", LOGIN_URL="/accounts/login/",
        OAUTH2_PROVIDER={
            "SCOPES": {scope: scope for scope in [*SCOPE.split(), "introspection"]},
            "ACCESS_TOKEN_EXPIRE_SECONDS": options.access_token_lifetime,
            "REFRESH_TOKEN_EXPIRE_SECONDS": 30 * 86400, "ROTATE_REFRESH_TOKEN": True,
            "REFRESH_TOKEN_GRACE_PERIOD_SECONDS": options.grace, "REFRESH_TOKEN_REUSE_PROTECTION": True,
            "COMPLIANT_BCP_RFC9700_AUTHZ_RESPONSE_ISS": True, "ALLOWED_SCHEMES": ["http", "https"],
            "OAUTH_DEVICE_VERIFICATION_URI": f"{base}/o/device/", "DEVICE_FLOW_INTERVAL": options.device_interval})


def add_urls():
    """The routes, which cannot be made before Django is set up: its own sign-in, the toolkit's, one of an API."""
    from django.contrib.auth.views import LoginView
    from django.http import JsonResponse
    from django.urls import include, path
    from oauth2_provider.decorators import protected_resource
    who = protected_resource()(lambda request: JsonResponse({"name": request.resource_owner.get_username()}))
    urlpatterns.extend([
        path("accounts/login/", LoginView.as_view()), path("api/me", who),
        path("o/", include("oauth2_provider.urls", namespace="oauth2_provider"))])


def fill(redirect_uri):
    """Tables, the person, and two clients: a grant type is all that a client may have here."""
    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from oauth2_provider.models import get_application_model
    call_command("migrate", verbosity=0)
    get_user_model().objects.create_user(running.PERSON, password=running.PASSWORD)
    application = get_application_model()
    common = {"client_secret": running.CLIENT_SECRET, "client_type": application.CLIENT_CONFIDENTIAL}
    application.objects.create(
        client_id=running.CLIENT_ID, redirect_uris=redirect_uri, name="Keyholder",
        authorization_grant_type=application.GRANT_AUTHORIZATION_CODE, **common)
    application.objects.create(
        client_id=running.CLIENT_ID + "-device", name="Keyholder for devices",
        authorization_grant_type=application.GRANT_DEVICE_CODE, **common)


def main():
    parser = running.arguments("Django OAuth Toolkit on loopback.")
    parser.add_argument("--grace", type=int, default=0, metavar="SECONDS", help="how long an old refresh token counts")
    parser.add_argument("--device-interval", type=int, default=5, metavar="SECONDS")
    options = parser.parse_args()
    listener, base = running.listen()
    with tempfile.TemporaryDirectory() as folder:
        configure(folder, base, options)
        import django
        django.setup()
        add_urls()
        fill(options.redirect_uri)
        from django.core.wsgi import get_wsgi_application
        running.serve(
            get_wsgi_application(), listener, "django-oauth-toolkit", issuer=f"{base}/o",
            authorization_endpoint=f"{base}/o/authorize/", token_endpoint=f"{base}/o/token/",
            device_authorization_endpoint=f"{base}/o/device-authorization/",
            revocation_endpoint=f"{base}/o/revoke_token/", introspection_endpoint=f"{base}/o/introspect/",
            userinfo_endpoint=f"{base}/api/me", client_id=running.CLIENT_ID, client_secret=running.CLIENT_SECRET,
            device_client_id=running.CLIENT_ID + "-device", scope=SCOPE)


if __name__ == "__main__":
    main()
