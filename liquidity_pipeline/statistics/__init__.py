"""What a statistician would reuse elsewhere; nothing here knows of the Fed."""
