"""What people do about a run: approve it, waive a rule for it, report what it did in the field, withdraw it.

Each is checked whole before anybody types a passphrase, and entered in one transaction of the trail once it was signed.
"""
