"""The generated population, the small model and the two policies behind `audit demo`. All of it is synthetic."""
