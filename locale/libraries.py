"""Texts of the libraries that our users can meet and that ship no catalogue for `ko` (DRF and simplejwt call theirs
`ko_KR`, which Django doesn't look at for `ko`). Never imported: `tools/messages.py` takes them into our catalogue."""

from django.utils.translation import gettext_noop as _

REST_FRAMEWORK = (
    _("A server error occurred."),
    _("Invalid input."),
    _("Malformed request."),
    _("Incorrect authentication credentials."),
    _("Authentication credentials were not provided."),
    _("You do not have permission to perform this action."),
    _("Not found."),
    _('Method "{method}" not allowed.'),
    _("Could not satisfy the request Accept header."),
    _('Unsupported media type "{media_type}" in request.'),
    _("Request was throttled."),
    _("Expected available in {wait} second."),
    _("Expected available in {wait} seconds."),
    _("This field is required."),
    _("This field may not be null."),
    _("This field may not be blank."),
    _("Not a valid string."),
    _("Ensure this field has no more than {max_length} characters."),
    _("Ensure this value is greater than or equal to {min_value}."),
    _("This value does not match the required pattern."),
    _("A valid integer is required."),
    _('"{input}" is not a valid choice.'),
    _('Expected a list of items but got type "{input_type}".'),
    _("Ensure this field has no more than {max_length} elements."),
    _("Invalid data. Expected a dictionary, but got {datatype}."),
    _("No file was submitted."),
    _("The submitted data was not a file. Check the encoding type on the form."),
    _("No filename could be determined."),
    _("The submitted file is empty."),
)
SIMPLE_JWT = (
    _("Authorization header must contain two space-delimited values"),
    _("Given token not valid for any token type"),
    _("Token contained no recognizable user identification"),
    _("User not found"),
    _("User is inactive"),
    _("Token is invalid"),
    _("Token is expired"),
    _("Token has wrong type"),
    _("No active account found with the given credentials"),
    _("No active account found for the given token."),
)
