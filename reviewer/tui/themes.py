"""The two colour themes: sea water and kelp, dark and light."""

from __future__ import annotations

from textual.theme import Theme

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
    variables={"input-selection-background": "#5cc8b0 30%", "footer-key-foreground": "#f0b45c"},
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
    variables={"input-selection-background": "#0b6e5f 25%", "footer-key-foreground": "#9a5b00"},
)
THEMES = (DARK, LIGHT)
