"""Dead letters: choosing, reading, planning, replaying, editing and giving them up."""
