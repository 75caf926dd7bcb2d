"""The subcommands of ``pygent``. Each takes its arguments and a stream to write to, and answers an exit code."""
