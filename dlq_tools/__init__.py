"""Dead letters for people on call: list, show, plan, replay, archive."""
