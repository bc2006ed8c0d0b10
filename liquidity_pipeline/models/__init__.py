"""One SQL file per mart; Python only for what is sequential or inferential. No I/O of its own."""
