"""The commands of `throughcare`, one file a command or group."""
