"""`python -m audit_pipeline`, the same as `audit`."""

from audit_pipeline.cli.main import main

main()
