"""The parts of a brief, one module each: what to read, and which sentences it makes."""
