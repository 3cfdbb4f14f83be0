"""What people decide about a run, in their own name: approvals, waivers, incidents and revocations.

Each is an in-toto statement in a DSSE envelope, and an entry of the trail that holds the envelope beside a readable
copy of what it says. Nothing here opens a trail or asks for a key: entries and keys are passed in.
"""
