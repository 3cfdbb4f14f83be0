"""The attacker's shadow models: trained on halves of the people, compressed and asked as the model that ships is."""
