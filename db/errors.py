"""Errors that a user can do something about; each message names the thing, the place and the remedy."""

from __future__ import annotations


class HoldfastError(Exception):
    """Base of every error that Holdfast raises on purpose."""


class UsageError(HoldfastError):
    """The call or the configuration is wrong (exit status 2)."""


class StoreError(HoldfastError):
    """The lineage store could not do what was asked."""


class StoreMissing(StoreError):
    """There is no store at the path given."""


class StoreBusy(StoreError):
    """Another process held the write lock for longer than the cap on waiting."""


class StoreFull(StoreError):
    """The disk that holds the store has no room left; nothing was written."""


class StoreReadOnly(StoreError):
    """The store, or its folder, cannot be written by this user."""


class NotFound(HoldfastError):
    """A reference names no sample, or more than one."""


class Refused(HoldfastError):
    """A decision, undo or claim was refused; the message says why."""


class NotPermitted(HoldfastError):
    """The user's role does not allow the action."""
