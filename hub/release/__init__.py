"""Release: the control points that an order passes, the holds of those that do not."""
