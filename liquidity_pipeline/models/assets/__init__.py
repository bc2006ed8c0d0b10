"""Asset returns and how they respond to liquidity."""
