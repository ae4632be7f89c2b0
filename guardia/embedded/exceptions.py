"""The one error of the embedded mode. It is plain, as it is raised before Django and its translations exist."""


class EmbeddedError(RuntimeError):
    """The embedded database or a supervised process can't do what was asked; the text says why."""
