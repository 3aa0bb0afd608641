"""The rule kinds that a prompt can ask for and a program can check, and how they count words and sentences."""
