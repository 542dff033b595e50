"""The subcommands of `pratique`, one file a subject."""
