"""A witness of logs as C2SP tlog-witness has it: a process of its own that cosigns a log only while it grows."""
