"""What is decided: order, backfill and placement, from a view in to decisions out."""
