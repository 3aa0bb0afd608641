"""The two colour themes: sea water and kelp, dark and light."""

from __future__ import annotations

from textual.theme import Theme

_DARK_VARIABLES = {
    "title": "#1a2c30",
    "title-focused": "#1f4a47",
    "quiet": "#8ba3a0",
    "rule": "#22383c",
    "info-back": "#173042",
    "warn-back": "#3a3115",
    "block-back": "#4a211d",
    "here-back": "#235c56",
    "input-selection-background": "#2d6b62",
}
_LIGHT_VARIABLES = {
    "title": "#e2e6df",
    "title-focused": "#bcdcd3",
    "quiet": "#5b6d6b",
    "rule": "#d4d9d1",
    "info-back": "#d9e8f3",
    "warn-back": "#f7e7bd",
    "block-back": "#f8d5d0",
    "here-back": "#a9dccf",
    "input-selection-background": "#bcdcd3",
}
DARK = Theme(
    name="holdfast-dark",
    primary="#5cc8b0",
    secondary="#7fb7d8",
    accent="#f0b45c",
    foreground="#dbe5e1",
    background="#0d1719",
    surface="#122023",
    panel="#1a2c30",
    success="#8fd17f",
    warning="#f0c75c",
    error="#ff8577",
    dark=True,
    variables=_DARK_VARIABLES,
)
LIGHT = Theme(
    name="holdfast-light",
    primary="#0b6e5f",
    secondary="#1f5f8b",
    accent="#9a5b00",
    foreground="#16282a",
    background="#fbfaf6",
    surface="#f1f1ea",
    panel="#e2e6df",
    success="#2c6e1f",
    warning="#8a5a00",
    error="#b3261e",
    dark=False,
    variables=_LIGHT_VARIABLES,
)
THEMES = (DARK, LIGHT)


def variables_for(dark: bool) -> dict[str, str]:
    """What the stylesheet needs beside Textual's own variables, for themes that do not define it."""
    return _DARK_VARIABLES if dark else _LIGHT_VARIABLES
