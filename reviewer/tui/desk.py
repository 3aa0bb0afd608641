"""The screen's side of `holdfast.reviewer.pipeline.desk`, where the desk lives: the pipeline may not import screens."""

from holdfast.reviewer.pipeline.desk import *  # noqa: F403
