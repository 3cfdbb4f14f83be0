"""The trust file: whose signatures count for what, how that is changed, and who vouches for it."""
