"""The command line `crossdock`: one file per group of commands."""
