"""An emulated world: an ERP, a shop, a carrier and a warehouse, with a journal of effects."""
