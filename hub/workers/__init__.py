"""The processes that decode, map and validate: a mapping can loop for ever, so they can be killed."""
