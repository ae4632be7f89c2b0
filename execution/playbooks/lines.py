"""YAML with the line of every value, so that whatever is wrong with a playbook can be said with its place."""

from typing import Any

import yaml
from django.utils.translation import gettext as _

from execution.exceptions import PlaybookInvalid

Path = tuple[str | int, ...]
SIZE_LIMIT = 64 * 1024
_DEEPEST = 12
_PLAIN = ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")


class Source:
    """A document's values (`data`) and where they stand. Plain YAML: no tags, no anchors, no key twice."""

    def __init__(self, text: str) -> None:
        self._lines: dict[Path, int] = {}
        if len(text) > SIZE_LIMIT:
            raise PlaybookInvalid(_("The playbook is too large."))
        loader = yaml.SafeLoader(text.replace("\r\n", "\n"))
        try:
            node = loader.get_single_node()
            self._seen: set[int] = set()
            self.data = self._value(loader, node, ()) if node is not None else None
        except (yaml.YAMLError, RecursionError, ValueError) as error:
            mark = getattr(error, "problem_mark", None)
            raise invalid(mark.line + 1 if mark else 1, _("this is not YAML.")) from error
        finally:
            loader.dispose()

    def line(self, path: Path) -> int:
        """The line of a value, or of the nearest one around it."""
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path, 1)

    def error(self, path: Path, message: str) -> PlaybookInvalid:
        return invalid(self.line(path), message)

    def _value(self, loader: Any, node: yaml.Node, path: Path) -> Any:
        line = node.start_mark.line + 1
        self._lines.setdefault(path, line)
        if id(node) in self._seen:
            raise invalid(line, _("anchors and aliases are not allowed."))
        self._seen.add(id(node))
        if len(path) > _DEEPEST:
            raise invalid(line, _("this is nested too deeply."))
        if not isinstance(node, yaml.ScalarNode) and node.tag not in _PLAIN:
            raise invalid(line, _("tags are not allowed."))
        if isinstance(node, yaml.MappingNode):
            return self._mapping(loader, node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self._value(loader, item, (*path, place)) for place, item in enumerate(node.value)]
        return loader.construct_object(node)

    def _mapping(self, loader: Any, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            key = loader.construct_object(key_node) if isinstance(key_node, yaml.ScalarNode) else None
            if not isinstance(key, str):
                raise invalid(line, _("a key must be text."))
            if key in found:
                raise invalid(line, _("“%(key)s” stands here twice.") % {"key": key})
            self._lines[(*path, key)] = line
            found[key] = self._value(loader, value_node, (*path, key))
        return found


def invalid(line: int, message: str) -> PlaybookInvalid:
    return PlaybookInvalid(_("Line %(line)s: %(message)s") % {"line": line, "message": message}, line=line)
