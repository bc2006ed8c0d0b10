"""What an assistant may ask of the published file, over the Model Context Protocol; read-only."""
