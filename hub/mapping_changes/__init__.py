"""What a changed mapping would do to documents that have come before, and taking it into use."""
