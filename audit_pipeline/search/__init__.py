"""The search for the smallest integer model that keeps the policy's fairness rules in every group."""
