"""What a PromQL expression reads: the names of its series, and the labels that it relies on."""

import re

KEYWORDS = {"and", "or", "unless", "by", "on", "without", "ignoring", "offset", "group_left", "group_right", "bool"}
GROUPING = r"\b(?:by|on|without|ignoring|group_left|group_right)\s*\(([^)]*)\)"


def metrics_of(expression):
    """The names of the series that an expression reads."""
    text = re.sub(r"\"[^\"]*\"|`[^`]*`", "", expression)
    text = re.sub(r"\{[^}]*\}|\[[^]]*\]|\$\w+", "", text)
    text = re.sub(GROUPING, "", text)
    text = re.sub(r"\boffset \w+", "", text)
    return {it for it in re.findall(r"(?<![\w.:])([a-zA-Z_:][\w:]*)\b(?!\s*\()", text) if it not in KEYWORDS}


def selectors(expression):
    """(series, the text between its braces) of every selector that has matchers."""
    return re.findall(r"([a-zA-Z_:][\w:]*)\{([^}]*)\}", expression)


def matched_labels(matchers):
    return set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", re.sub(r"\"[^\"]*\"|`[^`]*`", "", matchers)))


def grouping_labels(expression):
    """The labels in its by, on, without and ignoring clauses."""
    return {it for clause in re.findall(GROUPING, expression) for it in re.findall(r"\w+", clause)}
