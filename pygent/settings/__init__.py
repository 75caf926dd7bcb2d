"""Settings: the only reader of YAML and of the process's environment.

``from_environment`` is the defaults and ``PYGENT_*``, for the library's constructors; ``load`` adds the settings
files and the command line's options, for the front ends.
"""

from __future__ import annotations

from pygent.settings.command_environment import command_environment
from pygent.settings.environment import editor, from_environment, no_screen, set_variables, terminal
from pygent.settings.git_environment import git_environment
from pygent.settings.load import config_files, existing_init_files, load
from pygent.settings.model import PERMISSION_MODES, Settings
from pygent.settings.paths import config_dir, data_dir
from pygent.settings.trust import distrust, is_trusted, trust
from pygent.settings.web_password import web_password
from pygent.settings.writer import save_user_settings, user_list

__all__ = [
    "PERMISSION_MODES",
    "Settings",
    "command_environment",
    "config_dir",
    "config_files",
    "data_dir",
    "distrust",
    "editor",
    "existing_init_files",
    "from_environment",
    "git_environment",
    "is_trusted",
    "load",
    "no_screen",
    "save_user_settings",
    "set_variables",
    "terminal",
    "trust",
    "user_list",
    "web_password",
]
